package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey/latchkey/tally"
	"github.com/latchkey/latchkey/usage"
)

// collector reads the sources at each scrape.
type collector struct {
	Sources
	waiting remembered
}

// Describe implements prometheus.Collector.
func (*collector) Describe(to chan<- *prometheus.Desc) {
	for _, s := range declared {
		to <- s.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(into chan<- prometheus.Metric) {
	to := sink{into}
	to.send(buildInfo, 1, c.Version)
	checks, isReady := c.Checks()
	to.send(ready, number(isReady))
	for name, ok := range checks {
		to.send(checkOK, number(ok), name)
	}
	c.requests(to)
	c.tokens(to)
	c.calls(to)
	c.jobs(to)
	c.database(to)
}

func class(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n) + "xx"
}

func (c *collector) requests(to sink) {
	for _, route := range c.Requests.Stats() {
		for _, of := range route.Requests {
			to.count(requests, of.Count, route.Route, of.Method, class(of.Class))
		}
		to.spread(took, route.Took, seconds, route.Route)
	}
}

func (c *collector) tokens(to sink) {
	made := c.Issuer.Stats()
	for kind, n := range made.Issued {
		to.count(issued, n, string(kind))
	}
	to.spread(batchSize, made.Batches, ones)
	to.spread(commitTime, made.Commits, seconds)
	to.count(commitFailed, made.Failed)
	to.count(busy, made.Busy)
	to.count(queued, int64(made.Waiting))

	of := c.OAuth.Stats()
	for by, reasons := range map[string]map[string]int64{"verify": of.Verify, "introspect": of.Introspect, "gateway": c.Gateway.Stats().Refused} {
		for reason, n := range reasons {
			to.count(refused, n, by, reason)
		}
	}
	cache := c.Cache.Stats()
	to.count(cacheEntries, int64(cache.Tokens), "tokens")
	to.count(cacheEntries, int64(cache.Applications), "applications")
	to.count(cacheEntries, int64(cache.Clients), "clients")
	to.count(cacheHits, cache.TokenHits, "tokens")
	to.count(cacheHits, cache.ClientHits, "clients")
	to.count(cacheMisses, cache.TokenMisses, "tokens")
	to.count(cacheMisses, cache.ClientMisses, "clients")
	feed := c.Feed.Stats()
	to.send(feedAlive, number(feed.Alive))
	to.send(feedLag, feed.Lag.Seconds())
	to.send(clockAhead, c.ClockAhead().Seconds())
}

func (c *collector) calls(to sink) {
	stats := c.Gateway.Stats()
	for route, classes := range stats.Calls {
		for i, n := range classes {
			if n > 0 {
				to.count(gatewayCalls, n, route, class(i))
			}
		}
	}
	to.count(gatewayOpen, stats.Open)
	to.count(streams, int64(stats.Streams))
	for limit, n := range stats.Limited {
		if limit != tally.Other {
			to.count(gatewayLimited, n, limit, strconv.Itoa(usage.Limit(limit).Status()))
		}
	}
	meter := c.Meter.Stats()
	to.count(points, meter.Points)
	to.count(usageTeams, int64(meter.Teams))
	to.count(usageWaiting, meter.Waiting)
}

func (c *collector) jobs(to sink) {
	for _, run := range c.Runs() {
		if run.Counts {
			to.count(purgedRows, run.Rows, run.Job)
		}
		to.count(purgeFailures, run.Failures, run.Job)
		last := 0.0
		if !run.Last.IsZero() {
			last = float64(run.Last.UnixMilli()) / 1000
		}
		to.send(purgeLast, last, run.Job)
	}
	tried := c.Webhooks.Stats()
	to.count(tries, tried.Delivered, "delivered")
	to.count(tries, tried.Failed-tried.GivenUp, "failed")
	to.count(tries, tried.GivenUp, "given up")
	sent := c.Mail.Stats()
	to.count(mailWaiting, sent.Waiting)
	to.count(mailDone, sent.Sent, "sent")
	to.count(mailDone, sent.GivenUp, "given up")
}

func (c *collector) database(to sink) {
	pools, err := c.Store.Pools()
	for _, pool := range pools {
		to.count(connections, int64(pool.InUse), pool.Name, "in use")
		to.count(connections, int64(pool.Idle), pool.Name, "idle")
		to.count(poolWaits, pool.WaitCount, pool.Name)
		to.send(poolWaited, pool.WaitDuration.Seconds(), pool.Name)
	}
	waiting, failed := c.waiting.get()
	to.send(readFailed, number(err != nil || failed != nil))
	if failed != nil {
		return // a number that is not known is none
	}
	to.count(deliveriesWaiting, waiting.Deliveries)
	to.count(deliveriesFailed, waiting.Failed)
	to.count(expiring, waiting.Tokens)
	to.count(expiringTeams, waiting.Teams)
	for _, team := range waiting.Expiring {
		to.count(expiringTeam, team.Count, team.TeamID)
	}
}
