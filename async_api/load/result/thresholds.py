"""Every threshold of the verdict on a run, with its unit and the reason for it.

A reason is given where the number is beyond the threshold, and not where it equals it;
those that are a number of samples or seconds are needed in full.
"""

# Microseconds. A request sent later than this was not sent as planned. Ten times the
# lateness of a generator that shares its processor, and a tenth of what people notice.
LATE = 50_000
# Share of the planned requests that may be late. Above it, p99 is about lateness.
LATE_SHARE = 0.01

# Share of a core, in which the generator works or waits for a processor. At 0.9 an event
# loop always has something left to do, and every response is read late.
OCCUPIED_INVALID = 0.9
# At 0.75 the wait for the loop is about as long as its work (M/M/1: 0.75 / 0.25 = 3).
OCCUPIED_SUSPECT = 0.75
# Microseconds. In a shorter run, starting alone keeps the processor busy.
OCCUPIED_TIME = 100_000
# Share of the seconds that may each be above OCCUPIED_INVALID in a run that is not.
BUSY_SECONDS_SHARE = 0.1

# Microseconds, of the 99th percentile of lateness where a connection was free. The
# generator reaches 1 ms on an idle machine and a few on a shared one.
LATENESS_SUSPECT = 5_000
# Share of the median latency from plan that the same percentile may be instead: a
# lateness of 10 ms does not change a latency of 1 s.
LATENESS_SHARE = 0.1

# Share of the run. A pause delays what arrives during it, so above 1 % of the time
# pauses decide p99.
COLLECTING_SHARE = 0.01
# Share of the run, summed over the longest lag of each second, for the same reason.
LAG_SHARE = 0.01
# Microseconds. Shorter lags are normal on a healthy machine.
LAG_TOLERATED = 20_000
# Share of a processor that the hypervisor gave to others. Above 2 %, pauses that no
# process can see decide p99.
STEAL_SHARE = 0.02

# Successful requests. With fewer, p99 has no upper bound (`percentiles.fewest_values`).
SAMPLES = 368
# Share of all planned requests that failed or had an error status. Above one half, the
# latencies are those of a minority.
FAILED_SHARE = 0.5

# Seconds with successes in the last half of the run, or of its last step. With fewer,
# the test for a trend finds too little.
DRIFT_SECONDS = 10
# Standard deviations of Kendall's S: one-sided 0.1 %. Stricter than usual, because
# neighbouring seconds resemble each other.
DRIFT_DEVIATIONS = 3.09
# Growth of the median over that time, as a share of it. Smaller drifts are significant
# in long runs and matter to nobody.
DRIFT_SHARE = 0.2

# Seconds with successes. The first three of ten are the slowest three by chance in 1 of
# 120 runs.
WARM_UP_SECONDS = 10
# Seconds at the beginning that are compared with all others.
WARM_UP_FIRST = 3
# How much slower the first seconds are than the median of the others.
WARM_UP_SHARE = 0.2
