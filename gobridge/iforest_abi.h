/*
 * The C ABI between a host and the sensor library: the one definition of its
 * structs, status codes and functions, read by cgo (exports.go), by the Zeek
 * plugin (zeek-pkg/src) and by the test host (testdata/host.c).
 *
 * A host dlopens the library, compares iforest_abi_version() with
 * IFOREST_ABI_VERSION before it touches anything else, calls iforest_start()
 * once, loads a model or asks to learn one, and scores. There is a sensor for
 * each log whose rows are scored: iforest_start makes that of conn.log, sensor 0,
 * iforest_open others, and iforest_use says which one the calls that follow are
 * for. All calls come from one thread. The library keeps no pointer that it is given and hands out none of
 * its own. It writes to no file descriptor but its state's, and starts no thread
 * that computes: learning is done in slices, within iforest_score and
 * iforest_observe.
 */
#ifndef IFOREST_ABI_H
#define IFOREST_ABI_H

#include <stdint.h>

/* Changes with every change of this file that a host could notice. */
#define IFOREST_ABI_VERSION 10u

/* What became of a call. Every function but iforest_abi_version returns one. */
enum iforest_status {
  IFOREST_OK = 0,
  IFOREST_NO_LIBRARY = 1, /* said by the host: the library could not be used */
  IFOREST_NO_MODEL = 2,   /* no model has been loaded yet */
  IFOREST_BAD_RECORD = 3, /* a connection that no conn.log can hold */
  IFOREST_BAD_MODEL = 4,  /* the model was refused; the one before is kept */
  IFOREST_PANIC = 5,      /* a fault in the library, caught at the border */
  IFOREST_NOT_DONE = 6,   /* said why: no model to go back to, nothing saved */
  IFOREST_STATUSES = 7
};

/* Bits of iforest_conn.set: the optional fields that conn.log would show. */
enum iforest_field {
  IFOREST_SERVICE = 1 << 0,
  IFOREST_DURATION = 1 << 1,
  IFOREST_ORIG_BYTES = 1 << 2,
  IFOREST_RESP_BYTES = 1 << 3,
  IFOREST_LOCAL_ORIG = 1 << 4,
  IFOREST_LOCAL_RESP = 1 << 5,
  IFOREST_IP_PROTO = 1 << 6
};

/* Text of a given length, not terminated. The host's memory. */
typedef struct {
  const char *data;
  uint64_t len;
} iforest_text;

/*
 * A connection as Zeek holds it in Conn::Info when it writes conn.log, under
 * the names of that record. history and tunnel_parents are left out: no
 * feature reads them, as none reads uid, by which cases are found. A field without a bit in set is zero when Zeek left it
 * unset, as a reader of conn.log would take it.
 */
typedef struct {
  double ts;       /* seconds since the epoch */
  double duration; /* seconds */
  uint64_t orig_bytes;
  uint64_t resp_bytes;
  uint64_t missed_bytes;
  uint64_t orig_pkts;
  uint64_t orig_ip_bytes;
  uint64_t resp_pkts;
  uint64_t resp_ip_bytes;
  iforest_text service;    /* as in conn.log: "ssl,http" */
  iforest_text conn_state; /* "SF"; empty if Zeek left it unset */
  iforest_text uid;
  iforest_text context;    /* of id.ctx, as IFOREST_CONTEXT; empty for none */
  uint8_t orig_h[16];      /* network order; IPv4 as ::ffff:a.b.c.d */
  uint8_t resp_h[16];
  uint16_t orig_p; /* for ICMP the type and its counterpart, as Zeek has it */
  uint16_t resp_p;
  uint16_t ip_proto;
  uint8_t proto; /* Zeek's transport_proto: 0 unknown, 1 tcp, 2 udp, 3 icmp */
  uint8_t local_orig;
  uint8_t local_resp;
  uint32_t set; /* enum iforest_field */
} iforest_conn;

/* How Zeek holds a field, and where iforest_value has it. */
enum iforest_type {
  IFOREST_TIME = 0,     /* real: seconds since the epoch */
  IFOREST_INTERVAL = 1, /* real: seconds */
  IFOREST_DOUBLE = 2,   /* real */
  IFOREST_COUNT = 3,    /* number */
  IFOREST_PORT = 4,     /* number, without the transport */
  IFOREST_BOOL = 5,     /* number: 0 or 1 */
  IFOREST_ENUM = 6,     /* number of the enum */
  IFOREST_STRING = 7,   /* text */
  IFOREST_ADDR = 8,     /* address: network order; IPv4 as ::ffff:a.b.c.d */
  IFOREST_STRINGS = 9,  /* strings: of a vector[string] those that are set */
  IFOREST_INTERVALS = 10, /* intervals: of a vector[interval], seconds */
  IFOREST_CONTEXT = 11, /* text: of a record the fields that are logged and set, as
                         * the log writes them and ordered by name:
                         * "inner_vlan=20,vlan=10" */
  IFOREST_TYPES = 12
};

/* The most elements of a vector that are looked at: the rest may be left out. */
#define IFOREST_MAX_ELEMENTS 100

/* A field that iforest_score_values takes, by its place in the list. A version
 * of Zeek whose record lacks one that is not required leaves it unset. A vector
 * of records in the name ("cert_chain.x509.fingerprint") stands for its first
 * element in which the next field has a value. */
typedef struct {
  char name[60];    /* "id.orig_h"; ends with a zero byte */
  uint8_t required; /* without a value there is no score */
  uint32_t type;    /* enum iforest_type */
} iforest_field_info;

/* The most fields of a list. */
#define IFOREST_MAX_FIELDS 64

/* The value of a field. Its text is the host's memory. */
typedef struct {
  union {
    double real;
    uint64_t number;
    iforest_text text;
    uint8_t address[16];
    struct {
      const iforest_text *elements;
      uint64_t n;
    } strings; /* the array is the host's memory, too */
    struct {
      const double *elements;
      uint64_t n;
    } intervals;
  } as;
  uint8_t set; /* 0 where Zeek left the field unset: the rest means nothing */
} iforest_value;

/* The most logs of a case beside conn.log. */
#define IFOREST_MAX_CASE 4

/* What a log says of a connection: its strangest row with that uid. Texts end
 * with a zero byte. */
typedef struct {
  char log[32];
  double score;
  double rank;
  char reason[512]; /* empty where the row is no rarer than one in ten */
} iforest_case_row;

/* What is found of a row. Texts end with a zero byte. */
typedef struct {
  double score; /* anomaly_score: in (0, 1), rounded to four decimals */
  double rank;  /* anomaly_rank: N of "1 in N of the model's own connections" */
  double case_score; /* anomaly_case, of a connection where the settings ask for cases; else 0 */
  uint8_t cold;    /* the originator's window may lack connections */
  uint8_t unusual; /* enough for an alert, which iforest_raise decides */
  uint8_t news;    /* events wait for iforest_next_event; also set where there is no score */
  uint8_t meets;   /* not unusual, but forwarded, for a beacon may have it: iforest_withhold */
  uint8_t case_rows; /* how many of case_row mean something; 0 but where the settings ask for cases */
  char reason[512];  /* anomaly_reason, where the settings ask for it or iforest_raise has said RAISE; else empty */
  iforest_case_row case_row[IFOREST_MAX_CASE]; /* what the other logs say of it, the strangest first */
} iforest_result;

/* All that a sensor is told about its work. Numbers for which 0 is no value are
 * the defaults of model/defaults.go where they are 0. */
typedef struct {
  double alerts_per_day;  /* 0: none; those of conn.log's sensor hold for all */
  uint8_t use_seed;       /* the seed model scores connections until there is another */
  uint8_t use_cases;      /* iforest_result has the case; the same */
  uint8_t reasons;        /* iforest_result has the reason, of each row */
  iforest_text labels;    /* what is labelled bad (learn.LabelHeader), for a sensor of conn.log that learns; empty: nothing is said of it */
  uint8_t forwards;       /* no sensor decides: see iforest_take_candidates; that of conn.log's holds for all, from then on */

  /* For iforest_learn. */
  uint64_t seed;          /* 0: drawn from the system; a saved state has its own */
  uint64_t warmup;        /* connections before the first model */
  uint64_t rebuild_every; /* connections from a model to the next, of each worker */
  uint64_t workers;       /* that sample for iforest_observe; 0: none does */
  uint64_t save_every;    /* connections from one saving to the next; 0: at the end; also for iforest_sample */
  iforest_text directory; /* absolute; where what is learnt is kept; empty: nowhere; the same */
  iforest_text zeek_version;
  iforest_text recording; /* file for the batches of iforest_observe; empty: none */

  /* For iforest_sample. */
  uint64_t sample_one_in; /* all for 0 or 1 */
} iforest_settings;

enum iforest_verdict {
  IFOREST_SUPPRESSED = 0, /* the hour, or the day, has had its alerts */
  IFOREST_FOLDED = 1,     /* it belongs to an incident that was told */
  IFOREST_RAISE = 2,
  IFOREST_FORWARDED = 3 /* another process decides */
};

enum iforest_event_kind {
  IFOREST_NOTHING = 0,
  IFOREST_PROMOTED = 1, /* a model that was learnt came into use */
  IFOREST_REFUSED = 2,  /* a new model was not good enough, or could not be made */
  IFOREST_DRIFT = 3,    /* the traffic is no longer what the model knows */
  IFOREST_INCIDENT = 4, /* unusual connections of one host, or to it, and rows of other logs */
  IFOREST_WARNING = 5,  /* something does not work; scores go on */
  IFOREST_SAMPLES = 6,  /* a batch of samples is full: iforest_take_samples */
  IFOREST_ALERT = 7     /* a row of another process is worth an alert: iforest_decide */
};

/* Something that the operator should know. The fields after text are an incident's;
 * those after period, and last, score, log and the endpoints, are an alert's. */
typedef struct {
  uint32_t kind;
  char text[4096]; /* ends with a zero byte; an alert's reason, or empty if none was sent */
  uint8_t host[16]; /* the site's; all zeros where there were several */
  uint8_t inbound;  /* whether others originated the connections */
  uint8_t over;     /* whether the incident is over */
  uint64_t count;   /* connections beside those with an alert of their own */
  double first;     /* seconds since the epoch */
  double last;
  double score;       /* the highest */
  uint8_t orig_h[16]; /* of the connection with that score */
  uint8_t resp_h[16];
  uint16_t resp_p;
  uint8_t other_origs; /* whether others had another originator */
  uint8_t other_resps; /* whether others went to another responder or port */
  char log[32];        /* of the row with that score: "dns"; empty for conn.log */
  uint8_t other_logs;  /* whether others are rows of another log */
  char context[64];    /* of the host, id.ctx: "vlan=10"; empty for none */
  double period;       /* of a beacon of the host, seconds between its calls; else 0 */
  char uid[64];        /* empty where none was sent, as rank is 0 */
  char model[32];      /* anomaly_model */
  uint16_t orig_p;
  uint8_t proto;       /* as in iforest_conn */
  double row_score;    /* anomaly_score, where score is that of the case */
  double rank;
  double age;          /* of a connection that goes on, seconds; else 0 */
  uint8_t is_case;     /* the reason has those of other logs */
} iforest_event;

/* The model in use. Texts end with a zero byte. */
typedef struct {
  char fingerprint[32]; /* anomaly_model */
  uint64_t rows;        /* connections that it was trained on */
  double first;         /* ts of the earliest of them, seconds since the epoch; 0 of the seed's */
  double last;          /* ts of the latest; the same */
  uint64_t seed;        /* of all that was drawn at random */
  uint8_t by_seed;      /* it is the seed model: iforest_use_seed */
} iforest_model_info;

/* Bins of equal width for the histogram of scores: bin i holds [i, i+1) / 20. */
#define IFOREST_BINS 20

/* Counts since iforest_start. */
typedef struct {
  uint64_t calls[IFOREST_STATUSES]; /* of iforest_score, by what it returned */
  uint64_t bins[IFOREST_BINS];
  double sum;             /* of all scores */
  uint64_t by_seed;       /* connections scored by the seed model */
  uint64_t cold;          /* scored while the originator's window was cold */
  uint64_t models;        /* models taken into use */
  uint64_t refused;       /* models refused */
  uint64_t looks;         /* connections scored by iforest_peek */

  uint64_t raised;     /* alerts, and incidents that were told */
  uint64_t folded;     /* unusual connections that are part of an incident */
  uint64_t suppressed; /* unusual connections for which the hour, or the day, had no room */
  uint64_t unsent;     /* unusual connections that iforest_take_candidates did not fetch in time */

  uint64_t sampled;      /* connections for another sensor to learn from */
  uint64_t samples_lost; /* of them, those in batches that were not taken in time */

  /* What was learnt, with what the state held. */
  uint8_t learning;
  uint8_t rebuilding;
  uint64_t rows;
  uint64_t kinds;       /* of connection that shape models */
  uint64_t quarantined; /* kinds that wait */
  uint64_t promoted;
  uint64_t not_promoted;
  uint64_t next_rebuild; /* the number of rows at which it begins */
  uint64_t seed;

  uint64_t collections; /* of garbage */
  uint64_t heap;        /* bytes in use or not yet collected */
} iforest_counts;

/*
 * The functions, as types for dlsym; each is exported under its name without
 * "_fn". Where a call takes message and size, it writes there why it did not
 * return IFOREST_OK: one line, cut to fit, ended with a zero byte.
 */
typedef uint32_t (*iforest_abi_version_fn)(void);

/* Sets the runtime up: two processors, collector off, and a table of hosts. */
typedef int32_t (*iforest_start_fn)(char *message, uint64_t size);

/* Makes the sensor of the rows of a log, by its #path, or finds it: *sensor is
 * its number. It becomes the one in use. */
typedef int32_t (*iforest_open_fn)(iforest_text log, uint32_t *sensor, char *message, uint64_t size);

/* All calls that follow are for that sensor. */
typedef int32_t (*iforest_use_fn)(uint32_t sensor);

/* Writes the fields of the log to a list of IFOREST_MAX_FIELDS, their number to
 * *n. */
typedef int32_t (*iforest_fields_fn)(iforest_field_info *fields, uint64_t *n);

/* Takes the model file at path into use, or the one in memory; ends learning
 * and sampling. */
typedef int32_t (*iforest_load_file_fn)(iforest_text path, char *message, uint64_t size);
typedef int32_t (*iforest_load_bytes_fn)(iforest_text model, char *message, uint64_t size);

/* Takes settings, at any time. Without this call all of them are 0. The seed
 * model is one that the library carries: it scores while the sensor learns or
 * samples and has no model yet, and nothing that it scores is unusual; a seed that
 * cannot be used is an event. With cases a connection is held against the budget
 * by its case_score. What iforest_learn and iforest_sample read has no effect
 * before these are called. */
typedef int32_t (*iforest_set_fn)(const iforest_settings *settings, char *message, uint64_t size);

/* Begins to learn from what is scored. A directory that cannot be used is an
 * event, and learning goes on in memory. */
typedef int32_t (*iforest_learn_fn)(const iforest_settings *settings, char *message, uint64_t size);

/* Scores one connection, in the order of conn.log, and learns from it. */
typedef int32_t (*iforest_score_fn)(const iforest_conn *conn, iforest_result *result,
                                    char *message, uint64_t size);

/* Scores a connection that goes on: nothing is counted but looks, nothing is
 * learnt. Its conn_state is what it would be if it ended now, its duration its
 * age. iforest_raise is then about it. */
typedef int32_t (*iforest_peek_fn)(const iforest_conn *conn, iforest_result *result,
                                   char *message, uint64_t size);

/* Scores a row: a value for each field of the list, in its order. With sensor 0
 * it does what iforest_score does. */
typedef int32_t (*iforest_score_values_fn)(const iforest_value *values, uint64_t n, iforest_result *result,
                                           char *message, uint64_t size);

/*
 * Where several processes see a network, some score and sample, and one learns
 * from their samples; they adopt its models.
 *
 * Begins to sample the connections that are scored: the first of each kind, and
 * one in so many of the rest. A batch that is full is an event,
 * and lost with the next connection unless it is taken. What is remembered of
 * hosts, and the model, are kept in the directory as iforest_learn keeps what is
 * learnt.
 */
typedef int32_t (*iforest_sample_fn)(const iforest_settings *settings, char *message, uint64_t size);

/* The most bytes of a batch. */
#define IFOREST_MAX_BATCH 32768

/* Writes the batch, full or not, to a buffer of IFOREST_MAX_BATCH bytes, its
 * length to *len, and the connections in it to *rows: 0 and 0 for none. */
typedef int32_t (*iforest_take_samples_fn)(char *buffer, uint64_t *len, uint64_t *rows);

/* Learns from a batch, all of it or, where it is damaged, nothing. What
 * iforest_learn asked for goes on here: events wait where *news is not 0. */
typedef int32_t (*iforest_observe_fn)(iforest_text batch, uint8_t *news, char *message, uint64_t size);

/*
 * Where several processes see parts of what a host does, they send what they
 * counted to owners, and take the totals that these tell. A message that is lost
 * loses what is in it, nothing else.
 */

/* The most bytes of such a message. */
#define IFOREST_MAX_EVIDENCE 65536

/* Each host, responder, pair and port is in one of so many shards. */
#define IFOREST_SHARDS 64

/* Writes what was counted in those shards (bit i: shard i) since the last call, as
 * much of it as fits, to a buffer of that size, and the length to *len: 0 for
 * nothing. From the first call on it is noted. */
typedef int32_t (*iforest_take_counts_fn)(uint64_t shards, char *buffer, uint64_t size, uint64_t *len);

/* At an owner: adds what a worker counted. A worker has a number. */
typedef int32_t (*iforest_add_counts_fn)(uint64_t worker, iforest_text counts, char *message, uint64_t size);

/* At an owner: writes totals that workers lack, as iforest_take_counts does. */
typedef int32_t (*iforest_take_totals_fn)(char *buffer, uint64_t size, uint64_t *len);

/* At an owner: begins to tell a worker all that it knows, for one that begins; and
 * writes the next part of it, as iforest_take_counts does. */
typedef int32_t (*iforest_tell_all_fn)(uint64_t worker);
typedef int32_t (*iforest_take_all_fn)(uint64_t worker, char *buffer, uint64_t size, uint64_t *len);

/* Takes totals, for the connections that follow. */
typedef int32_t (*iforest_add_totals_fn)(iforest_text totals, char *message, uint64_t size);

/* Writes the length of the model's file to *len, and the file to the buffer
 * where it fits in there. */
typedef int32_t (*iforest_model_file_fn)(char *buffer, uint64_t size, uint64_t *len);

/* Takes a model file with that fingerprint into use, and goes on sampling. */
typedef int32_t (*iforest_adopt_fn)(iforest_text model, iforest_text fingerprint, char *message, uint64_t size);

/* Says what becomes of the last row scored by the sensor in use, which was
 * unusual and the latest of all sensors; without this call it costs no part of
 * the budget. Of one that is worth an alert the reason and the case are written to
 * *result, which iforest_score has filled. */
typedef int32_t (*iforest_raise_fn)(uint32_t *verdict, iforest_result *result);

/*
 * Where several processes see a network, one of them decides for all which rows
 * are alerts; the others, whose settings say so, forward to it what it has to see.
 * Nothing is decided there: iforest_raise says that the host wants to hear of the
 * row.
 *
 * Says that the host does not want to hear of a beacon that the last row scored,
 * which was forwarded, makes known.
 */
typedef int32_t (*iforest_withhold_fn)(void);

/* The most bytes of a message of rows that are forwarded. */
#define IFOREST_MAX_CANDIDATES 32768

/* Takes the oldest message into a buffer of that size, and its length to *len: 0
 * where none waits. Some wait; then the oldest is lost. */
typedef int32_t (*iforest_take_candidates_fn)(char *buffer, uint64_t *len);

/* Decides about what the worker of that number forwards, all of the message or,
 * where it is damaged, nothing. Events may wait then. */
typedef int32_t (*iforest_decide_fn)(uint64_t worker, iforest_text candidates, char *message, uint64_t size);

/* Fetches the oldest event; IFOREST_NOTHING where none waits. */
typedef int32_t (*iforest_next_event_fn)(iforest_event *event);

/* Goes back to the model before the one in use. */
typedef int32_t (*iforest_rollback_fn)(char *message, uint64_t size);

/* Saves what was learnt and waits for it, and ends learning and sampling; incidents
 * that go on become events. */
typedef int32_t (*iforest_finish_fn)(char *message, uint64_t size);

typedef int32_t (*iforest_model_fn)(iforest_model_info *info);
typedef int32_t (*iforest_statistics_fn)(iforest_counts *counts);

#endif
