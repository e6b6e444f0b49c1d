package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"example.com/blog/app01/xray"
)

// queue takes messages.
type queue interface {
	// Send returns the id that the queue gave to the message.
	Send(ctx context.Context, body string) (id string, err error)
}

// clock tells the time.
type clock interface {
	Now(ctx context.Context) (string, error)
}

// frontEnd answers the callers of app01.
type frontEnd struct {
	queue  queue // nil: no message is sent
	clock  clock
	tracer *xray.Tracer
	log    *slog.Logger
}

// message is the body of the queue message for each call.
type message struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	Path string    `json:"path"`
}

// answer is the response to a caller.
type answer struct {
	Request string  `json:"request"` // the id in the message's body
	Message *string `json:"message"` // the queue's own id; null when no queue is configured
	Time    string  `json:"time"`
}

// failure is the response to a caller if a service behind app01 failed.
type failure struct {
	Error   string `json:"error"`
	Service string `json:"service"`
	Request string `json:"request"`
}

func (f *frontEnd) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		// Not a word about app02 or the queue: restarting app01 would not mend them.
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.Handle("GET /", f.tracer.Middleware(http.HandlerFunc(f.call)))
	return mux
}

func (f *frontEnd) call(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	ctx := r.Context()
	m := message{ID: rand.Text(), Time: started.UTC(), Path: r.URL.Path}
	log := f.log.With("request", m.ID, "path", m.Path, "trace", xray.FromContext(ctx).Trace())

	fail := func(service string, err error) {
		log.ErrorContext(ctx, "call failed", "upstream", service, "error", err)
		writeJSON(w, http.StatusBadGateway, failure{
			Error: service + " did not answer as it should", Service: service, Request: m.ID,
		})
	}
	id, err := f.send(ctx, m)
	if err != nil {
		fail("queue", err)
		return
	}
	now, err := f.clock.Now(ctx)
	if err != nil {
		fail("app02", err)
		return
	}
	writeJSON(w, http.StatusOK, answer{Request: m.ID, Message: id, Time: now})
	log.InfoContext(ctx, "call answered", "message", id, "ms", time.Since(started).Milliseconds())
}

func (f *frontEnd) send(ctx context.Context, m message) (*string, error) {
	if f.queue == nil {
		return nil, nil //nolint:nilnil // no queue is no error, and no id
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	id, err := f.queue.Send(ctx, string(body))
	if err != nil {
		return nil, err
	}
	return &id, nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller is gone: nobody is left to tell
}
