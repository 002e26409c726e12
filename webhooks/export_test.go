package webhooks

import "time"

// SetTimeout shortens what a try may take.
func (w *Worker) SetTimeout(d time.Duration) { w.client.timeout = d }

// Public is what decides whether a connection may be made.
var Public = public
