package metrics

import "github.com/prometheus/client_golang/prometheus"

// series is a metric with its labels.
type series struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	name string
	// labels are the names of its labels, in the order of their values.
	labels []string
	help   string
}

// histogram is the kind of those that are sent by distribution.
const histogram prometheus.ValueType = 0

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// declared are our own series, in the order in which they were declared.
var declared []*series

func declare(kind prometheus.ValueType, name, help string, labels ...string) *series {
	s := &series{kind: kind, name: "latchkey_" + name, labels: labels, help: help, desc: prometheus.NewDesc("latchkey_"+name, help, labels, nil)}
	declared = append(declared, s)
	return s
}

var (
	buildInfo = declare(gauge, "build_info", "1, with the version of the program.", "version")
	ready     = declare(gauge, "ready", "1 while /readyz answers 200.")
	checkOK   = declare(gauge, "check_ok", "1 while a check of /readyz holds.", "check")

	requests = declare(counter, "http_requests_total", "Answered requests by pattern of the route, method and class of the status.", "route", "method", "code")
	took     = declare(histogram, "http_request_duration_seconds", "Time that requests took, without WebSockets.", "route")

	issued       = declare(counter, "tokens_issued_total", "Tokens made and stored.", "kind")
	refused      = declare(counter, "tokens_refused_total", "Requests whose token was missing or not good, by who asked and why.", "endpoint", "reason")
	batchSize    = declare(histogram, "token_batch_size", "Tokens that were stored in one transaction.")
	commitTime   = declare(histogram, "token_commit_duration_seconds", "Time until a batch of tokens was on disk.")
	commitFailed = declare(counter, "token_commits_failed_total", "Batches of tokens that could not be stored.")
	busy         = declare(counter, "tokens_busy_total", "Requests for a token that found no room to wait (503).")
	queued       = declare(gauge, "tokens_waiting", "Requests for a token that wait to be stored.")

	cacheEntries = declare(gauge, "cache_entries", "What the cache remembers.", "cache")
	cacheHits    = declare(counter, "cache_hits_total", "Questions that the cache answered.", "cache")
	cacheMisses  = declare(counter, "cache_misses_total", "Questions that went to the database.", "cache")
	feedAlive    = declare(gauge, "feed_alive", "1 while this node hears of what others change and trusts its cache.")
	feedLag      = declare(gauge, "feed_lag_seconds", "Time since the feed of changes last answered.")
	clockAhead   = declare(gauge, "clock_ahead_seconds", "How far the time here is ahead of the system's clock, which was set back.")

	gatewayCalls   = declare(counter, "gateway_calls_total", "Calls that were let through, by path of the route and class of the status.", "route", "code")
	gatewayOpen    = declare(gauge, "gateway_calls_open", "Calls that run.")
	gatewayLimited = declare(counter, "gateway_limited_total", "Calls with a good token that came to a limit of their team (402 or 429).", "limit", "code")
	streams        = declare(gauge, "streams_open", "WebSockets, server-sent events and other calls that run longer than a second.")
	points         = declare(counter, "points_charged_total", "Points that teams were charged.")
	usageTeams     = declare(gauge, "usage_teams", "Teams that make calls just now.")
	usageWaiting   = declare(gauge, "usage_counts_waiting", "Counts of calls that are in no batch yet.")

	purgedRows    = declare(counter, "purge_rows_total", "Rows that were deleted because they had ended long enough ago.", "task")
	purgeFailures = declare(counter, "purge_failures_total", "Runs of a job that did not come to their end.", "task")
	purgeLast     = declare(gauge, "purge_last_success_timestamp_seconds", "When a job last came to its end; 0 for not since the start.", "task")

	expiring      = declare(gauge, "tokens_expiring", "Manual tokens that expire within 7 days, of all teams.")
	expiringTeams = declare(gauge, "tokens_expiring_teams", "Teams that have such tokens.")
	expiringTeam  = declare(gauge, "team_tokens_expiring", "Such tokens by ID of the team, of the 20 teams with most.", "team")

	deliveriesWaiting = declare(gauge, "webhook_deliveries_waiting", "Deliveries to webhooks that are still to be made.")
	deliveriesFailed  = declare(gauge, "webhook_deliveries_failed", "Deliveries that were given up and are still listed.")
	tries             = declare(counter, "webhook_tries_total", "Tries to deliver to a webhook.", "outcome")
	mailWaiting       = declare(gauge, "mail_waiting", "Mail that is still to be sent.")
	mailDone          = declare(counter, "mail_total", "Mail that was sent or given up.", "outcome")

	connections = declare(gauge, "database_connections", "Open connections to the database.", "pool", "state")
	poolWaits   = declare(counter, "database_waits_total", "Times that a connection was waited for.", "pool")
	poolWaited  = declare(counter, "database_wait_seconds_total", "Time that connections were waited for.", "pool")
	readFailed  = declare(gauge, "scrape_incomplete", "1 where the database could not be asked what waits in it.")
)
