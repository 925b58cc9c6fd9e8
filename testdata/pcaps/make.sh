#!/usr/bin/env bash
# Makes the captures in this folder anew, from real programs that talk between
# network namespaces of their own. Nothing leaves the machine: the namespaces
# hang on one bridge without an uplink. Needs root and the Debian packages
#   iproute2 ethtool tcpdump tshark nginx-light curl openssl dnsmasq dnsutils
#   openssh-server openssh-client opensmtpd swaks redis postgresql chrony vsftpd
#   mosquitto mosquitto-clients nmap netcat-openbsd iputils-ping tcpreplay bc
# usage: make.sh [DIRECTORY]    (default: this folder; takes about three minutes)
# shellcheck disable=SC2016  # eval expands the commands that record is given
set -euo pipefail

out=$(realpath "${1:-$(dirname "$0")}")
work=$(mktemp -d)
chmod 755 "$work"

# The hosts. 192.88.99.0/24 (deprecated 6to4 relays) and 3fff::/20 (documentation)
# belong to nobody and are not local to Zeek's Site::local_nets, unlike the usual
# documentation networks, so they stand for the Internet.
declare -A ip4=([server]=10.20.0.2 [anna]=10.20.0.10 [ben]=10.20.0.11 [outside]=192.88.99.7)
declare -A ip6=([server]=fd20::2 [anna]=fd20::10 [ben]=fd20::11 [outside]=3fff::7)

cleanup() {
  for host in "${!ip4[@]}" tap; do
    ip netns pids "$host" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
    ip netns del "$host" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT

on() { ip netns exec "$@"; }
quiet() { "$@" >/dev/null 2>&1 || true; }

# --- wires -------------------------------------------------------------------
ip netns add tap
on tap ip link add br0 type bridge
on tap ip link set br0 type bridge mcast_snooping 0
on tap ip link set br0 up
on tap ip link set lo up
for host in "${!ip4[@]}"; do
  ip netns add "$host"
  ip link add "v-$host" type veth peer name eth0 netns "$host"
  ip link set "v-$host" netns tap
  on tap ip link set "v-$host" master br0 up
  on "$host" ip link set lo up
  on "$host" sysctl -qw net.ipv6.conf.eth0.accept_dad=0
  on "$host" ip link set eth0 up
  on "$host" ip addr add "${ip4[$host]}/24" dev eth0
  on "$host" ip -6 addr add "${ip6[$host]}/64" dev eth0 nodad
  # With offloads the capture would hold unfinished checksums and giant segments.
  for where in "tap v-$host" "$host eth0"; do
    # shellcheck disable=SC2086
    set -- $where
    on "$1" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1
  done
done
for host in server anna ben; do
  on "$host" ip route add 192.88.99.0/24 dev eth0
  on "$host" ip -6 route add 3fff::/64 dev eth0
done
on outside ip route add 10.20.0.0/24 dev eth0
on outside ip -6 route add fd20::/64 dev eth0

# --- services ----------------------------------------------------------------
cd "$work"
mkdir -p www tls ssh dns mail ftp pg chrony
for size in 1 4 12 30; do head -c $((size * 1024)) /dev/urandom | base64 -w 100 >"www/page$size.html"; done
echo '<html><body>office</body></html>' >www/index.html
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=intranet.example \
  -keyout tls/key.pem -out tls/cert.pem 2>/dev/null

cat >nginx.conf <<EOF
daemon off; pid $work/nginx.pid; error_log $work/nginx.log; user root; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path $work/nb; proxy_temp_path $work/np;
  fastcgi_temp_path $work/nf; uwsgi_temp_path $work/nu; scgi_temp_path $work/ns;
  server {
    listen 80; listen [::]:80; listen 8081; listen 443 ssl; listen [::]:443 ssl;
    ssl_certificate $work/tls/cert.pem; ssl_certificate_key $work/tls/key.pem;
    root $work/www; dav_methods PUT; client_max_body_size 10m;
  }
}
EOF
on server nginx -c "$work/nginx.conf" -e "$work/nginx.log" &
sed "s|nginx.pid|nginx2.pid|" nginx.conf >nginx2.conf
on outside nginx -c "$work/nginx2.conf" -e "$work/nginx2.log" &

on server dnsmasq --no-daemon --no-resolv --no-hosts --bind-interfaces --listen-address="${ip4[server]},${ip6[server]}" \
  --address=/intranet.example/"${ip4[server]}" --address=/www.example/"${ip4[outside]}" \
  --mx-host=office.example,mail.office.example,10 --txt-record=office.example,"v=spf1 -all" --user=root >/dev/null 2>&1 &

ssh-keygen -q -t ed25519 -N '' -f ssh/host
ssh-keygen -q -t ed25519 -N '' -f ssh/user
cp ssh/user.pub ssh/authorized
chmod 700 ssh; chmod 600 ssh/*
mkdir -p /run/sshd
on server /usr/sbin/sshd -D -h "$work/ssh/host" -o AuthorizedKeysFile="$work/ssh/authorized" -o StrictModes=no \
  -o PidFile=none -o PermitRootLogin=yes -o UsePAM=no -p 22 >/dev/null 2>&1 &

cat >mail/smtpd.conf <<EOF
pki mail cert "$work/tls/cert.pem"
pki mail key "$work/tls/key.pem"
listen on eth0 tls pki mail hostname mail.office.example
action deliver maildir "$work/mail/box"
match from any for any action deliver
EOF
chmod 600 tls/key.pem mail/smtpd.conf
on server smtpd -d -f "$work/mail/smtpd.conf" >mail/log 2>&1 &

on server redis-server --bind "${ip4[server]}" --protected-mode no --save '' --dir "$work" >/dev/null 2>&1 &
on server mosquitto -c <(printf 'listener 1883 %s\nallow_anonymous true\n' "${ip4[server]}") >/dev/null 2>&1 &
on server chronyd -d -x -f <(printf 'local stratum 5\nallow all\ncmdport 0\nport 123\n') >/dev/null 2>&1 &

cp /etc/passwd "$work/ftp/" 2>/dev/null || true
echo "quarterly figures" >ftp/figures.txt
mkdir -p "$work/empty"
cat >vsftpd.conf <<EOF
listen=YES
anonymous_enable=YES
anon_root=$work/ftp
secure_chroot_dir=$work/empty
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
background=NO
EOF
on server vsftpd "$work/vsftpd.conf" >/dev/null 2>&1 &

pgbin=$(echo /usr/lib/postgresql/*/bin)
chown -R postgres pg
(cd / && su postgres -c "$pgbin/initdb -D $work/pg -A trust >/dev/null && echo \"host all all 10.20.0.0/24 trust\" >>$work/pg/pg_hba.conf")
on server su postgres -c "$pgbin/postgres -D $work/pg -h ${ip4[server]} -k $work/pg" >/dev/null 2>&1 &
on outside sh -c 'while :; do nc -l -p 4444 >/dev/null; done' &
on outside nc -lku 9999 >/dev/null &
sleep 4

# --- what people do ----------------------------------------------------------
s=${ip4[server]} s6=${ip6[server]} o=${ip4[outside]} o6=${ip6[outside]}
browse() { # HOST SCHEME ADDRESS PAGE…
  local host=$1 scheme=$2 address=$3; shift 3
  local urls=()
  for page in "$@"; do urls+=("$scheme://$address/$page"); done
  quiet on "$host" curl -sk --max-time 5 "${urls[@]}"
}
# shellcheck disable=SC2086
look_up() { local host=$1; shift; for name in "$@"; do quiet on "$host" dig +tries=1 +time=1 "@$s" $name; done; } # a name may carry a type: "office.example MX"
log_in() { quiet on "$1" ssh -i "$work/ssh/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "root@$s" "$2"; }
copy() { quiet on "$1" scp -i "$work/ssh/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$2" "root@$s:$work/copied"; }
mail() { quiet on "$1" swaks --server "$s" --from "$1@office.example" --to team@office.example --header "Subject: $2" "${@:3}"; }
sql() { quiet on "$1" psql -h "$s" -U postgres -c "$2"; }
cache() { quiet on "$1" redis-cli -h "$s" "${@:2}"; }
fetch_ftp() { quiet on "$1" curl -s --max-time 5 "ftp://$s/figures.txt"; }
publish() { quiet on "$1" mosquitto_pub -h "$s" -t office/temperature -m "$2"; }
ask_time() { quiet on "$1" chronyd -Q -t 3 -f /dev/null "server $s iburst maxsamples 2"; }
ask_ping() { quiet on "$1" ping -c "${3:-2}" -i 0.2 -W 1 "$2"; }

hour() { # an ordinary hour of two people at work; $1 makes each hour a little different
  local n=$1
  look_up anna intranet.example www.example "office.example MX" "AAAA www.example"
  browse anna https "$s" index.html "page$((n % 2 * 3 + 1)).html"
  browse anna http "$o" "page1.html"
  look_up ben www.example intranet.example "-x $s"
  browse ben https "$o" index.html page4.html
  browse ben https "[$o6]" page1.html
  browse anna http "$s" index.html missing.html
  mail anna "report $n"
  cache ben SET "hour:$n" "$n"; cache ben GET "hour:$n"
  sql ben "select count(*) from pg_class where relpages > $n"
  publish anna "$((18 + n))"
  ask_ping ben "$s"
  if ((n % 2)); then log_in anna uptime; ask_time anna; browse ben https "$s" page12.html
  else mail ben "answer $n" --tls; fetch_ftp ben; browse anna https "[$s6]" page4.html; ask_ping anna "$o"; fi
  look_up ben "office.example TXT"
}
scan() { quiet on ben nmap -n -Pn -sS --max-retries 0 -T4 -p 1-150 "$s"; quiet on ben nmap -n -Pn -sV --version-light -p 22,80,8081 "$s"; }
upload() { head -c 500000 /dev/urandom >upload.bin; quiet on anna timeout 15 nc -N -w 3 "$o" 4444 <upload.bin; }

record() { # FILE COMMAND… : captures on the bridge while COMMAND runs
  local file=$1; shift
  ip netns exec tap tcpdump -q -U -i br0 -B 16384 -s 0 -w "$file" 'not arp and not icmp6[icmp6type] = 143 and not ether multicast' 2>/dev/null &
  local pid=$!
  sleep 1
  "$@"
  sleep 2 # the kernel hands full blocks over once a second
  kill "$pid"; wait "$pid" 2>/dev/null || true
}

# --- the small ones: one subject each ------------------------------------------
record http.pcap eval 'browse anna http "$s" index.html page4.html missing.html; browse ben http "$s:8081" page1.html; quiet on ben curl -s -T www/page4.html "http://$s/copy.html"'
record tls.pcap eval 'browse anna https "$s" index.html; quiet on ben curl -sk --tls-max 1.2 "https://$s/page1.html"; quiet on ben sh -c "echo | timeout 2 openssl s_client -connect $s:443 -tls1_3"'
record dns.pcap eval 'look_up anna intranet.example "office.example MX" "office.example TXT" nowhere.invalid "+tcp intranet.example"; quiet on anna dig +tries=1 +time=1 "@$s6" www.example AAAA'
record ssh.pcap eval 'log_in anna uptime; copy ben www/page12.html'
record mail.pcap eval 'mail anna "plain"; mail ben "under TLS" --tls'
record database.pcap eval 'cache ben SET a 1; cache ben GET a; sql anna "select 1"; sql ben "select relname from pg_class limit 3"'
record files.pcap eval 'fetch_ftp anna; publish ben 21'
record ping-ntp.pcap eval 'ask_ping anna "$s" 3; quiet on anna ping -6 -c 2 -i 0.2 "$s6"; ask_time ben'
record fragments.pcap eval 'quiet on anna ping -c 2 -i 0.2 -s 4000 "$s"; quiet on ben ping -6 -c 2 -i 0.2 -s 4000 "$s6"'
record refused.pcap eval 'quiet on anna nc -z -w 1 "$s" 81; quiet on anna nc -z -w 1 "$s" 9; quiet on ben sh -c "echo hello | nc -u -w 1 $s 7"; on ben ip route add blackhole 10.20.0.99 2>/dev/null || true; quiet on anna timeout 2 nc -z -w 1 10.20.0.99 80'
record scan.pcap eval 'quiet on ben nmap -n -Pn -sS --max-retries 0 -T4 -p 1-100 "$s"'

# Linux cooked (tcpdump -i any) and loopback
ip netns exec server timeout 6 tcpdump -q -U -i any -y LINUX_SLL -s 0 -w "$work/cooked.pcap" 'host 10.20.0.10 and not arp' 2>/dev/null &
sleep 1; browse anna http "$s" index.html; ask_ping anna "$s"; wait $! || true
ip netns exec server timeout 5 tcpdump -q -U -i lo -s 0 -w "$work/loopback.pcap" 2>/dev/null &
sleep 1; quiet on server curl -s http://127.0.0.1/index.html; quiet on server ping -6 -c 1 ::1; wait $! || true
# Other framings of the same traffic; not every kernel has the devices for them.
tcprewrite --enet-vlan=add --enet-vlan-tag=7 --enet-vlan-cfi=0 --enet-vlan-pri=0 -i http.pcap -o vlan.pcap
editcap -F pcap -C 14 -T rawip http.pcap raw.pcap
editcap -F pcapng dns.pcap dns.pcapng

# --- an ordinary day with a scan and a large upload inside -----------------------
# Each hour is recorded in some seconds and then moved, as a whole, to its place
# in the day, so that what happens inside a connection keeps its real timing.
for n in 0 1 2 3 4 5 6 7; do
  case $n in
  3) record "hour$n.pcap" eval "hour $n; hour $((n + 1)); scan" ;;
  6) record "hour$n.pcap" eval "hour $n; hour $((n + 1)); upload" ;;
  *) record "hour$n.pcap" eval "hour $n; hour $((n + 1))" ;;
  esac
  first=$(tcpdump -tt -nr "hour$n.pcap" -c 1 2>/dev/null | cut -d' ' -f1)
  start=$(date -u -d "2026-11-20 $((8 + n)):0$n:00" +%s)
  editcap -F pcap -t "$(echo "$start - $first" | bc)" "hour$n.pcap" "at$n.pcap"
done
mergecap -F pcap -w office-day.pcap at?.pcap

cp http.pcap tls.pcap dns.pcap dns.pcapng ssh.pcap mail.pcap database.pcap files.pcap ping-ntp.pcap fragments.pcap \
  refused.pcap scan.pcap vlan.pcap cooked.pcap loopback.pcap raw.pcap office-day.pcap "$out"
ls -l "$out"
