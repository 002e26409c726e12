// Package webhooks signs events and delivers them to the addresses that teams have
// set, at least once each. An address is somebody's input, so a connection goes
// nowhere but to public hosts, whatever their names resolve to.
package webhooks
