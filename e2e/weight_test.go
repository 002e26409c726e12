package e2e

import (
	"fmt"
	"testing"
)

// TestWeight counts what the first load of the Applications page takes over the
// wire, headers included.
func TestWeight(t *testing.T) {
	s, ana := owner(t)
	for i := range 10 {
		ana.generate(ana.create(fmt.Sprintf("Price feed %d", i+1)), "laptop")
	}
	p := openTab(t, s.base)
	p.become(ana)
	p.open(applications)
	p.resize(1440) // fonts are here and the page is drawn
	p.mu.Lock()
	defer p.mu.Unlock()
	total, fonts := 0.0, p.sizes["Font"]
	for _, size := range p.sizes {
		total += size
	}
	t.Logf("%.0f bytes: %v", total, p.sizes)
	if fonts == 0 || p.sizes["Document"] == 0 || p.sizes["Stylesheet"] == 0 || p.sizes["Script"] == 0 {
		t.Errorf("not everything was counted: %v", p.sizes)
	}
	if total >= 80_000 {
		t.Errorf("the first load takes %.0f bytes, want fewer than 80,000", total)
	}
	if total-fonts >= 20_000 {
		t.Errorf("the first load takes %.0f bytes without fonts, want fewer than 20,000", total-fonts)
	}
}

// TestSecondLoadIsCached wants only the page itself, and never kept.
func TestSecondLoadIsCached(t *testing.T) {
	s, ana := owner(t)
	p := openTab(t, s.base)
	p.become(ana)
	p.open(applications)
	p.resize(1440)
	p.mu.Lock()
	// What the first load still waits for, such as the icon, is not counted either.
	clear(p.sizes)
	clear(p.kinds)
	p.mu.Unlock()
	p.open(applications)
	p.resize(1440)
	p.mu.Lock()
	defer p.mu.Unlock()
	for kind, size := range p.sizes {
		if kind == "Document" && size == 0 || kind != "Document" && size > 0 {
			t.Errorf("%s took %.0f bytes on the second load", kind, size)
		}
	}
}
