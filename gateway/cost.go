package gateway

import (
	"net/http"
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// costHeader is how an upstream names the points of a call, in a header or a trailer.
const costHeader = "X-Points-Cost"

// cost takes what the upstream says that the call costs.
func (x *exchange) cost(h http.Header) {
	named := h[costHeader]
	if len(named) == 0 || x.settled {
		return
	}
	points, err := strconv.ParseInt(named[0], 10, 64)
	if len(named) == 1 && err == nil && points >= 0 && points <= models.MaxCost && named[0][0] != '+' {
		x.points = points
		return
	}
	// What it sent may be anything, and does not belong in a log.
	if minute := x.Now().Unix() / 60; x.warned.Swap(minute) != minute {
		x.Log.Warn("an upstream named a cost that is no whole number from 0 to "+models.FormatNumber(models.MaxCost)+": the route's was taken", "upstream", x.to.Path)
	}
}

// charged is what the call has cost.
func (x *exchange) charged() int64 {
	if x.points == usage.CostOfRoute {
		return x.to.Cost
	}
	return x.points
}
