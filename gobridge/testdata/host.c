/*
 * A host for the sensor library, as small as one can be: dlopens it, loads a
 * model, reads connections and prints their scores, while signals arrive if
 * asked for. It stands in for Zeek where there is none, and shows what each of
 * the plugin's defences is for by leaving it out.
 *
 *   host [option…] LIBRARY MODEL < connections > scores
 *     --storm N       signals for ourselves, one after the other, while scoring, N times over the input
 *     --mask WHEN     block signals around: none, load, call, both (default both)
 *     --onstack       leave the handlers as Go changes them at the load: on an alternate stack
 *     --reinstall     the handler installs itself again, as Zeek's does from 9.0 on
 *     --bench N       time N passes over the input instead, in nanoseconds a call
 *     --reload FILE   load another model after the first pass, then score again
 *     --learn DIR     learn (MODEL is then not read), keeping it in DIR, "-" for nowhere; --seed N, --save N: every N
 *     --use-seed      let the seed model score while there is no other; says at the end which is in use
 *     --alerts N      ask for N alerts a day; connections worth one are marked "raise" at their line's end
 *     --values        give connections as values of the fields that the library lists
 *     --pauses N      time N calls over the input again and again instead, each on its own, in thread CPU time
 *
 * A connection is a line of fields separated by tabs in the order of the
 * struct, "-" for unset; doubles as C's hexadecimal floats, addresses as 32
 * hexadecimal digits. The output has one line for each: status, score, rank,
 * cold and the reason, or status and message.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../iforest_abi.h"

enum { FIELDS = 19 };

static iforest_score_fn score;
static iforest_peek_fn peek; /* NULL: connections are scored when they end only */
static iforest_score_values_fn score_values;
static iforest_field_info fields[IFOREST_MAX_FIELDS];
static uint64_t num_fields; /* 0: give structs */
static iforest_load_file_fn load_file;
static iforest_statistics_fn statistics;
static iforest_raise_fn raise_alert;
static iforest_next_event_fn next_event;

static int mask_calls, reinstall;
static sigset_t asynchronous;
static volatile sig_atomic_t signals, strays; /* strays: on a thread that is not ours */
static pid_t self;

static void *find(void *library, const char *name) {
  void *f = dlsym(library, name);
  if (!f) {
    fprintf(stderr, "host: no function %s\n", name);
    exit(2);
  }
  return f;
}

/*
 * What Zeek's sig_handler does: writes a file, and needs stack for it. How much
 * is Zeek's affair; here it is as much as a thread of C always has, so that a
 * handler that runs on a goroutine's stack is caught and not merely unlucky.
 */
static void handler(int sig) {
  char text[256 << 10];
  memset(text, sig, sizeof text);
  int fd = open("/dev/null", O_WRONLY);
  if (fd >= 0) {
    if (write(fd, text, 4096) < 0)
      _exit(3);
    close(fd);
  }
  signals++;
  if (gettid() != self)
    strays++;
  if (reinstall) {
    struct sigaction again = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(sig, &again, NULL);
  }
}

static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2};

static void install(int flags) {
  for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(caught[i], &action, NULL);
  }
}

/* A child sends signals to the process until it is killed. */
static pid_t storm(void) {
  pid_t parent = getpid(), child = fork();
  if (child != 0)
    return child;
  for (unsigned i = 0;; i++) {
    if (kill(parent, caught[i % (sizeof caught / sizeof *caught)]) != 0)
      _exit(0);
    usleep(100);
  }
}

/* Gives a connection as values, looking each field up by its name. */
static int32_t score_as_values(const iforest_conn *c, iforest_result *r, char *message, uint64_t size) {
  iforest_value values[IFOREST_MAX_FIELDS];
  for (uint64_t i = 0; i < num_fields; i++) {
    iforest_value *v = &values[i];
    const char *name = fields[i].name;
    v->set = 1;
#define NUMBER(member) if (!strcmp(name, #member)) v->as.number = c->member; else
#define OPTIONAL_NUMBER(member, bit) if (!strcmp(name, #member)) v->as.number = c->member, v->set = (c->set & (bit)) != 0; else
    OPTIONAL_NUMBER(orig_bytes, IFOREST_ORIG_BYTES)
    OPTIONAL_NUMBER(resp_bytes, IFOREST_RESP_BYTES)
    OPTIONAL_NUMBER(local_orig, IFOREST_LOCAL_ORIG)
    OPTIONAL_NUMBER(local_resp, IFOREST_LOCAL_RESP)
    OPTIONAL_NUMBER(ip_proto, IFOREST_IP_PROTO)
    NUMBER(missed_bytes) NUMBER(orig_pkts) NUMBER(orig_ip_bytes) NUMBER(resp_pkts) NUMBER(resp_ip_bytes) NUMBER(proto)
    if (!strcmp(name, "ts"))
      v->as.real = c->ts;
    else if (!strcmp(name, "duration"))
      v->as.real = c->duration, v->set = (c->set & IFOREST_DURATION) != 0;
    else if (!strcmp(name, "uid"))
      v->set = 0;
    else if (!strcmp(name, "id.ctx"))
      v->as.text = c->context, v->set = c->context.len > 0;
    else if (!strcmp(name, "service"))
      v->as.text = c->service, v->set = (c->set & IFOREST_SERVICE) != 0;
    else if (!strcmp(name, "conn_state"))
      v->as.text = c->conn_state, v->set = c->conn_state.len > 0;
    else if (!strcmp(name, "id.orig_h"))
      memcpy(v->as.address, c->orig_h, 16);
    else if (!strcmp(name, "id.resp_h"))
      memcpy(v->as.address, c->resp_h, 16);
    else if (!strcmp(name, "id.orig_p"))
      v->as.number = c->orig_p;
    else if (!strcmp(name, "id.resp_p"))
      v->as.number = c->resp_p;
    else {
      fprintf(stderr, "host: the library wants %s\n", name);
      exit(2);
    }
  }
  return score_values(values, num_fields, r, message, size);
}

static int32_t masked_score(const iforest_conn *c, iforest_result *r, char *message, uint64_t size) {
  sigset_t before;
  if (mask_calls)
    pthread_sigmask(SIG_BLOCK, &asynchronous, &before);
  int32_t status = num_fields ? score_as_values(c, r, message, size) : score(c, r, message, size);
  if (mask_calls)
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  return status;
}

static int optional(const char *text) { return strcmp(text, "-") != 0; }

static void address(const char *text, uint8_t out[16]) {
  for (int i = 0; i < 16; i++)
    sscanf(text + 2 * i, "%2hhx", &out[i]);
}

static iforest_text text_of(const char *text) {
  iforest_text t = {text, strlen(text)};
  return t;
}

static void parse(char *line, iforest_conn *c) {
  char *f[FIELDS];
  int n = 0;
  for (char *rest = line, *field; n < FIELDS && (field = strsep(&rest, "\t\n"));)
    f[n++] = field;
  if (n != FIELDS) {
    fprintf(stderr, "host: %d fields instead of %d\n", n, FIELDS);
    exit(2);
  }
  memset(c, 0, sizeof *c);
#define COUNT(i, member) c->member = strtoull(f[i], NULL, 10)
#define OPTIONAL(i, bit) if (optional(f[i]) && (c->set |= (bit)))
  c->ts = strtod(f[0], NULL);
  OPTIONAL(1, IFOREST_DURATION) c->duration = strtod(f[1], NULL);
  OPTIONAL(2, IFOREST_ORIG_BYTES) COUNT(2, orig_bytes);
  OPTIONAL(3, IFOREST_RESP_BYTES) COUNT(3, resp_bytes);
  COUNT(4, missed_bytes);
  COUNT(5, orig_pkts);
  COUNT(6, orig_ip_bytes);
  COUNT(7, resp_pkts);
  COUNT(8, resp_ip_bytes);
  OPTIONAL(9, IFOREST_SERVICE) c->service = text_of(f[9]);
  if (optional(f[10]))
    c->conn_state = text_of(f[10]);
  address(f[11], c->orig_h);
  address(f[12], c->resp_h);
  COUNT(13, orig_p);
  COUNT(14, resp_p);
  OPTIONAL(15, IFOREST_IP_PROTO) COUNT(15, ip_proto);
  COUNT(16, proto);
  OPTIONAL(17, IFOREST_LOCAL_ORIG) COUNT(17, local_orig);
  OPTIONAL(18, IFOREST_LOCAL_RESP) COUNT(18, local_resp);
}

static void print_events(FILE *to) {
  for (;;) {
    iforest_event e;
    next_event(&e);
    if (e.kind == IFOREST_NOTHING)
      return;
    fprintf(to, "event\t%u\t%s\t%llu\n", e.kind, e.text, (unsigned long long)e.count);
  }
}

static void print_scores(iforest_conn *conns, size_t n) {
  for (size_t i = 0; i < n; i++) {
    iforest_result r;
    char message[1024] = "";
    iforest_result p = {0};
    int32_t peeked = peek ? peek(&conns[i * 7919 % n], &p, message, sizeof message) : 0;
    peeked = peek ? peek(&conns[i], &p, message, sizeof message) : 0;
    int32_t status = masked_score(&conns[i], &r, message, sizeof message);
    int established = conns[i].conn_state.len == 2 && !memcmp(conns[i].conn_state.data, "S1", 2);
    if (peek && (peeked != status || (!established && (p.score != r.score || p.rank != r.rank || p.cold != r.cold)))) {
      fprintf(stderr, "host: connection %zu has %d %g while it goes on, and %d %g at its end\n", i, peeked, p.score, status, r.score);
      exit(2);
    }
    if (status != IFOREST_OK) {
      printf("%d\t%s\n", status, message);
      if (r.news)
        print_events(stderr);
      continue;
    }
    uint32_t verdict = IFOREST_SUPPRESSED;
    if (r.unusual)
      raise_alert(&verdict, &r);
    printf("%d\t%.17g\t%.17g\t%d\t%s%s\n", status, r.score, r.rank, r.cold, r.reason, verdict == IFOREST_RAISE ? "\traise" : "");
    if (r.news)
      print_events(stderr);
  }
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others use the machine, too */
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void bench(iforest_conn *conns, size_t n, int passes) {
  double *took = malloc(passes * sizeof *took);
  for (int p = 0; p < passes; p++) {
    double start = now();
    for (size_t i = 0; i < n; i++) {
      iforest_result r;
      char message[256];
      masked_score(&conns[i], &r, message, sizeof message);
    }
    took[p] = (now() - start) / n;
  }
  qsort(took, passes, sizeof *took, ascending);
  printf("ns a call: min %.0f median %.0f max %.0f\n", took[0], took[passes / 2], took[passes - 1]);
}

static double thread_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/*
 * Times each call by itself, as long as the packet thread would not read
 * packets. The input goes on a day later with each pass. Every slice of
 * learning, saving and promoting is within a call.
 */
static void pauses(iforest_conn *conns, size_t n, size_t calls) {
  double *took = malloc(calls * sizeof *took);
  iforest_counts before, after;
  size_t settled = 0;
  for (size_t i = 0; i < calls; i++) {
    iforest_result r;
    char message[256];
    iforest_conn *c = &conns[i % n];
    double start = thread_now();
    masked_score(c, &r, message, sizeof message);
    took[i] = thread_now() - start;
    c->ts += 86400;
    uint32_t verdict;
    if (r.unusual)
      raise_alert(&verdict, &r);
    if (r.news)
      print_events(stderr);
    if (i == calls / 10) {
      settled = i;
      statistics(&before);
    }
  }
  statistics(&after);
  qsort(took, calls, sizeof *took, ascending);
#define AT(share) (took[(size_t)((share) * (calls - 1))] / 1e3)
  printf("us a call: median %.1f p99 %.1f p99.9 %.1f p99.99 %.1f max %.1f; %zu calls, models %llu\n", AT(.5), AT(.99),
         AT(.999), AT(.9999), AT(1), calls, (unsigned long long)after.promoted);
  printf("collections %llu, in the first tenth %llu; heap %.1f MB, at a tenth %.1f MB\n", (unsigned long long)after.collections,
         (unsigned long long)(settled ? before.collections : 0), after.heap / 1e6, before.heap / 1e6);
}

int main(int argc, char **argv) {
  iforest_settings how = {0};
  const char *learn = NULL;
  size_t calls = 0;
  int by_values = 0;
  int peeks = 0;
  int passes = 0, benches = 0, onstack = 0, mask_load = 1;
  const char *reload = NULL;
  mask_calls = 1;
  int i = 1;
  for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
    if (!strcmp(argv[i], "--storm"))
      passes = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--bench"))
      benches = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--reload"))
      reload = argv[++i];
    else if (!strcmp(argv[i], "--learn"))
      learn = argv[++i];
    else if (!strcmp(argv[i], "--seed"))
      how.seed = strtoull(argv[++i], NULL, 10);
    else if (!strcmp(argv[i], "--use-seed"))
      how.use_seed = 1;
    else if (!strcmp(argv[i], "--save"))
      how.save_every = strtoull(argv[++i], NULL, 10);
    else if (!strcmp(argv[i], "--alerts"))
      how.alerts_per_day = atof(argv[++i]);
    else if (!strcmp(argv[i], "--pauses"))
      calls = strtoull(argv[++i], NULL, 10);
    else if (!strcmp(argv[i], "--values"))
      by_values = 1;
    else if (!strcmp(argv[i], "--peek"))
      peeks = 1;
    else if (!strcmp(argv[i], "--onstack"))
      onstack = 1;
    else if (!strcmp(argv[i], "--reinstall"))
      reinstall = 1;
    else if (!strcmp(argv[i], "--mask")) {
      i++;
      mask_load = !strcmp(argv[i], "load") || !strcmp(argv[i], "both");
      mask_calls = !strcmp(argv[i], "call") || !strcmp(argv[i], "both");
    }
  }
  if (argc - i != 2) {
    fprintf(stderr, "usage: host [option…] LIBRARY MODEL\n");
    return 2;
  }

  sigfillset(&asynchronous);
  const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
  for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
    sigdelset(&asynchronous, faults[f]);

  self = gettid();
  install(SA_RESTART);

  sigset_t all, before;
  sigfillset(&all);
  if (mask_load)
    pthread_sigmask(SIG_SETMASK, &all, &before);
  void *library = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "host: %s\n", dlerror());
    return 2;
  }
  uint32_t version = ((iforest_abi_version_fn)find(library, "iforest_abi_version"))();
  if (version != IFOREST_ABI_VERSION) {
    fprintf(stderr, "host: library speaks version %u, host %u\n", version, IFOREST_ABI_VERSION);
    return 2;
  }
  score = find(library, "iforest_score");
  peek = peeks ? find(library, "iforest_peek") : NULL;
  load_file = find(library, "iforest_load_file");
  statistics = find(library, "iforest_statistics");
  raise_alert = find(library, "iforest_raise");
  next_event = find(library, "iforest_next_event");

  char message[1024] = "";
  if (((iforest_start_fn)find(library, "iforest_start"))(message, sizeof message) != IFOREST_OK) {
    fprintf(stderr, "host: %s\n", message);
    return 2;
  }
  if (by_values) {
    uint32_t number;
    if (((iforest_open_fn)find(library, "iforest_open"))(text_of("conn"), &number, message, sizeof message) != IFOREST_OK ||
        number != 0 || ((iforest_use_fn)find(library, "iforest_use"))(number) != IFOREST_OK ||
        ((iforest_fields_fn)find(library, "iforest_fields"))(fields, &num_fields) != IFOREST_OK) {
      fprintf(stderr, "host: %s\n", message);
      return 2;
    }
    score_values = find(library, "iforest_score_values");
  }
  if (mask_load)
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!onstack)
    install(SA_RESTART); /* Go has given SA_ONSTACK to the handlers that it found */

  how.reasons = !calls && !benches;
  int32_t status = ((iforest_set_fn)find(library, "iforest_set"))(&how, message, sizeof message);
  if (status == IFOREST_OK && learn) {
    how.directory = text_of(optional(learn) ? learn : "");
    status = ((iforest_learn_fn)find(library, "iforest_learn"))(&how, message, sizeof message);
    print_events(stderr);
  } else if (status == IFOREST_OK)
    status = load_file(text_of(argv[i + 1]), message, sizeof message);
  if (status != IFOREST_OK)
    fprintf(stderr, "host: %d %s\n", status, message);

  size_t n = 0, room = 0;
  iforest_conn *conns = NULL;
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stdin) > 0) {
    if (n == room)
      conns = realloc(conns, (room = room ? 2 * room : 1024) * sizeof *conns);
    parse(strdup(line), &conns[n++]); /* the texts point into the copy */
  }

  if (calls) {
    pauses(conns, n, calls);
    return 0;
  }
  if (benches) {
    bench(conns, n, benches);
    return 0;
  }

  pid_t child = 0;
  if (passes > 0)
    child = storm();
  print_scores(conns, n);
  for (int p = 1; p < passes; p++)
    for (size_t c = 0; c < n; c++) {
      iforest_result r;
      masked_score(&conns[c], &r, message, sizeof message);
    }
  if (child > 0) {
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0)
      ;
    fprintf(stderr, "host: %d signals, %d of them on threads of Go\n", (int)signals, (int)strays);
  }

  if (reload) {
    status = load_file(text_of(reload), message, sizeof message);
    printf("reload\t%d\t%s\n", status, status == IFOREST_OK ? "" : message);
    print_scores(conns, n);
  }

  if (learn && ((iforest_finish_fn)find(library, "iforest_finish"))(message, sizeof message) != IFOREST_OK)
    fprintf(stderr, "host: %s\n", message);
  print_events(stderr);
  iforest_counts counts;
  statistics(&counts);
  iforest_model_info info;
  if (how.use_seed && ((iforest_model_fn)find(library, "iforest_model"))(&info) == IFOREST_OK)
    fprintf(stderr, "host: model %s, by seed %d of %llu connections, last %.0f; %llu scored by the seed\n", info.fingerprint, info.by_seed,
            (unsigned long long)info.rows, info.last, (unsigned long long)counts.by_seed);
  fprintf(stderr, "host: scored %llu, models %llu, refused %llu\n", (unsigned long long)counts.calls[IFOREST_OK],
          (unsigned long long)counts.models, (unsigned long long)counts.refused);
  return 0;
}
