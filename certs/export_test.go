package certs

import (
	"context"

	"golang.org/x/crypto/acme/autocert"
)

// Look is one turn of Run.
func (f *Files) Look() {
	f.look()
	f.ending.look(context.Background(), f.current.Load().Leaf)
}

// Cache is what autocert keeps its state in.
func (a *ACME) Cache() autocert.Cache { return a.cache }
