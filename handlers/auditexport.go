package handlers

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
)

const (
	// exportRows is how many events an export reads at once: between two parts nothing of
	// the database is held.
	exportRows = 500
	// exportPatience is how long a part may take to be read and, apart from that, to be sent.
	exportPatience = 30 * time.Second
	// exportLongest ends an export that a slow client would draw out.
	exportLongest = 30 * time.Minute
	// exportsAtOnce is how many of one person run at the same time: each holds a part.
	exportsAtOnce = 2
	// exportTime is RFC 3339 in UTC, to the millisecond.
	exportTime = "2006-01-02T15:04:05.000Z"
)

// eventWriter writes events in one format.
type eventWriter interface {
	write(event models.AuditEvent) error
	flush() error
}

func (h *Handlers) exportCSV(c echo.Context, log auditLog) error {
	return h.export(c, log, "csv", "text/csv; charset=utf-8; header=present", newCSVEvents)
}

func (h *Handlers) exportJSONL(c echo.Context, log auditLog) error {
	return h.export(c, log, "jsonl", "application/jsonl; charset=utf-8", newJSONEvents)
}

// export sends every event that the filter lets through, newest first, part by part and
// uncompressed. What goes wrong after the first part cuts the connection, so that nobody
// takes a part for the whole.
func (h *Handlers) export(c echo.Context, log auditLog, extension, kind string, format func(io.Writer) eventWriter) error {
	query, _, err := h.auditFilter(c, log, auditInput(c))
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return echo.NewHTTPError(http.StatusBadRequest)
	}
	if _, wait := h.exports.Take(actorOf(c).UserID); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	if !h.exporting.enter(actorOf(c).UserID, exportsAtOnce) {
		return echo.NewHTTPError(slowDown(c, exportPatience))
	}
	defer h.exporting.leave(actorOf(c).UserID)
	// The request's own time is too short for a million events.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), exportLongest)
	defer cancel()
	events, err := h.exportPart(ctx, log.team, query)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, kind)
	header.Set(echo.HeaderContentDisposition, `attachment; filename="latchkey-audit-`+h.Now().UTC().Format("20060102-150405")+"."+extension+`"`)
	header.Set(echo.HeaderContentSecurityPolicy, middleware.DataPolicy)
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	out := format(c.Response())
	for {
		if err := h.sendPart(c, out, events); err != nil {
			return h.cut(c, err)
		}
		if len(events) < exportRows {
			return nil
		}
		query.Before = events[len(events)-1].Place()
		if events, err = h.exportPart(ctx, log.team, query); err != nil {
			return h.cut(c, err)
		}
	}
}

func (h *Handlers) exportPart(ctx context.Context, team string, query models.AuditQuery) ([]models.AuditEvent, error) {
	ctx, cancel := context.WithTimeout(ctx, exportPatience)
	defer cancel()
	return h.Store.AuditEvents(ctx, team, query, exportRows)
}

func (h *Handlers) sendPart(c echo.Context, out eventWriter, events []models.AuditEvent) error {
	deadline := time.Now().Add(exportPatience) //nolint:forbidigo // of the socket, which knows no other clock
	if err := http.NewResponseController(c.Response()).SetWriteDeadline(deadline); err != nil {
		return err
	}
	for _, event := range events {
		if err := out.write(event); err != nil {
			return err
		}
	}
	return out.flush()
}

// cut ends an answer that has begun so that the client notices.
func (h *Handlers) cut(c echo.Context, err error) error {
	h.Log.Warn("export cut", "request", middleware.ID(c), "error", err)
	panic(http.ErrAbortHandler)
}

var csvHead = []string{
	"entry", "time", "action", "target", "target_type", "target_id", "application_id", "detail", "changes",
	"person", "person_id", "role", "ip_address", "user_agent", "request_id", "team_id", "id", "version", "hash",
}

// csvEvents writes RFC 4180.
type csvEvents struct{ *csv.Writer }

func newCSVEvents(to io.Writer) eventWriter {
	w := csvEvents{csv.NewWriter(to)}
	w.UseCRLF = true
	_ = w.Write(csvHead) // flush reports it
	return w
}

func (w csvEvents) write(e models.AuditEvent) error {
	fields := []string{
		strconv.FormatInt(e.Seq, 10), e.At.Std().Format(exportTime), string(e.Action), e.Target, e.TargetType, e.TargetID, e.ApplicationID, e.Detail, e.Changes,
		e.ActorName, e.ActorID, string(e.ActorRole), e.Address, e.UserAgent, e.RequestID, e.TeamID, e.ID, strconv.FormatInt(e.Version, 10), e.Hash,
	}
	for i := range fields {
		fields[i] = noFormula(fields[i])
	}
	return w.Write(fields)
}

func (w csvEvents) flush() error {
	w.Flush()
	return w.Error()
}

// noFormula keeps spreadsheets from calculating what somebody typed as a name.
func noFormula(field string) string {
	if field != "" && strings.ContainsRune("=+-@\t\r\n\x00", rune(field[0])) {
		return "'" + field
	}
	return field
}

// jsonEvent is a line of the export. With the hash of the entry before, it holds all that
// its own hash is over.
type jsonEvent struct {
	Entry         int64              `json:"entry"`
	Time          string             `json:"time"`
	Action        models.AuditAction `json:"action"`
	Target        string             `json:"target"`
	TargetType    string             `json:"target_type"`
	TargetID      string             `json:"target_id"`
	ApplicationID string             `json:"application_id"`
	Detail        string             `json:"detail"`
	Changes       any                `json:"changes"`
	Person        string             `json:"person"`
	PersonID      string             `json:"person_id"`
	Role          models.Role        `json:"role"`
	Address       string             `json:"ip_address"`
	UserAgent     string             `json:"user_agent"`
	RequestID     string             `json:"request_id"`
	TeamID        string             `json:"team_id"`
	ID            string             `json:"id"`
	Version       int64              `json:"version"`
	Hash          string             `json:"hash"`
}

type jsonEvents struct {
	buffer *bufio.Writer
	lines  *json.Encoder
}

func newJSONEvents(to io.Writer) eventWriter {
	buffer := bufio.NewWriter(to)
	return jsonEvents{buffer: buffer, lines: json.NewEncoder(buffer)}
}

func (w jsonEvents) write(e models.AuditEvent) error {
	changes := any(json.RawMessage(e.Changes))
	if e.Changes == "" {
		changes = []models.AuditChange{}
	} else if !json.Valid([]byte(e.Changes)) {
		changes = e.Changes
	}
	return w.lines.Encode(jsonEvent{
		Entry: e.Seq, Time: e.At.Std().Format(exportTime), Action: e.Action, Target: e.Target, TargetType: e.TargetType, TargetID: e.TargetID,
		ApplicationID: e.ApplicationID, Detail: e.Detail, Changes: changes, Person: e.ActorName, PersonID: e.ActorID, Role: e.ActorRole,
		Address: e.Address, UserAgent: e.UserAgent, RequestID: e.RequestID, TeamID: e.TeamID, ID: e.ID, Version: e.Version, Hash: e.Hash,
	})
}

func (w jsonEvents) flush() error { return w.buffer.Flush() }
