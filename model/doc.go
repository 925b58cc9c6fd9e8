// Package model scores connections. A Model is one immutable value: feature
// tables, forest, calibration curve, and what is usual for each feature.
//
// # How a score comes about
//
// A connection is a conn.Conn: a row of conn.log and nothing else. It takes
// four steps, each a function of the ones before, so that a row of a log gives
// on a laptop the digits that it got in Zeek.
//
//  1. Hosts.Observe (model/feature) counts it in its originator's last five
//     minutes. This is the only step with a memory; the order of rows matters.
//  2. Row.SetConn (model/feature) makes numbers and codes of the row and the
//     window: logarithms of duration, bytes and packets, and the window.
//     Encoder.Finish adds how rare proto, service, conn_state and responder port
//     were in training.
//  3. Forest.MeanPath (model/forest) walks the numbers through the isolation
//     trees. Each tree was grown from a few training rows by random splits; a
//     strange row is soon alone. E[h(x)] is the mean number of splits that took.
//  4. s(x, ψ) = 2^(−E[h(x)]/c(ψ)), where c(ψ) is the mean path length of a
//     random tree (Liu, Ting, Zhou 2008, eq. 2). Rounded to four decimals, here
//     and nowhere else, it is anomaly_score: towards 1 strange, around 0.5 or
//     below ordinary.
//
// A score says how strange, not how often: that is Rank, the share of the
// training traffic's own rows that were at least as strange. Explain says why:
// each split that a row passes is credited to its feature, and the credits add
// up to c(ψ) − E[h(x)] exactly.
//
// model/stream does all of it, for rows of any log, one after the other or, on
// every core, in batches: the same functions, the same digits. SetOf lists the
// logs.
//
// Models are made by model/learn.
package model
