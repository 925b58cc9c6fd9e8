#!/bin/sh
# Runs a Kafka broker of its own (KRaft) in the foreground, for trying things:
# broker.sh FOLDER [PORT]. FOLDER/jars has Kafka (see pom.xml); what it stores is
# in FOLDER/data. It listens on this machine only.
set -eu
folder=$1 port=${2:-9092}
cat > "$folder/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
log.dirs=$folder/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
END
[ -e "$folder/data" ] || java -cp "$folder/jars/*" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAA -c "$folder/server.properties"
exec java -Xmx512m -cp "$folder/jars/*" kafka.Kafka "$folder/server.properties"
