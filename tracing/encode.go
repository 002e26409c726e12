package tracing

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message in the making. Its methods take the numbers of fields.
type message []byte

func (m *message) bytes(field protowire.Number, value []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), value)
}

func (m *message) text(field protowire.Number, value string) {
	if value != "" {
		m.bytes(field, []byte(value))
	}
}

func (m *message) varint(field protowire.Number, value uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), value)
}

func (m *message) fixed64(field protowire.Number, value int64) {
	*m = protowire.AppendFixed64(protowire.AppendTag(*m, field, protowire.Fixed64Type), uint64(value)) //nolint:gosec // times after 1970
}

// export writes an ExportTraceServiceRequest of opentelemetry/proto: resource spans, of one
// resource, with scope spans of one scope.
func export(resource map[string]string, spans []*span) []byte {
	var about, scope, scoped, all, request message
	for _, name := range slices.Sorted(maps.Keys(resource)) {
		about.attribute(1, attribute{key: name, text: resource[name]})
	}
	scope.text(1, "github.com/latchkey/latchkey")
	scoped.bytes(1, scope)
	for _, s := range spans {
		scoped.bytes(2, s.encode())
	}
	all.bytes(1, about)
	all.bytes(2, scoped)
	request.bytes(1, all)
	return request
}

func (s *span) encode() []byte {
	var m message
	m.bytes(1, s.trace[:])
	m.bytes(2, s.id[:])
	m.text(3, s.state)
	if s.parent != [8]byte{} {
		m.bytes(4, s.parent[:])
	}
	m.text(5, s.name)
	m.varint(6, s.kind)
	m.fixed64(7, s.start)
	m.fixed64(8, s.end)
	for _, a := range s.attributes {
		m.attribute(9, a)
	}
	if s.link.valid() {
		var link message
		link.bytes(1, s.link.trace[:])
		link.bytes(2, s.link.id[:])
		link.text(3, s.link.state)
		m.bytes(13, link)
	}
	if s.failed {
		const codeError = 2
		var status message
		status.varint(3, codeError)
		m.bytes(15, status)
	}
	return m
}

// attribute adds a KeyValue.
func (m *message) attribute(field protowire.Number, a attribute) {
	var pair, value message
	if a.text != "" {
		value.text(1, a.text)
	} else {
		value.varint(3, uint64(a.number)) //nolint:gosec // as protobuf has it for int64
	}
	pair.text(1, a.key)
	pair.bytes(2, value)
	m.bytes(field, pair)
}
