// Package warnings tells people of tokens and old secrets before they end: by mail,
// by webhooks, and by calendar feeds. It decides how they are told; when, and that it is
// once, is decided by package store.
package warnings
