package main

import (
	"encoding/json"
	"net/http"
	"time"

	"example.com/blog/app02/xray"
)

// answer is the response to a caller.
type answer struct {
	Time  string `json:"time"`  // RFC 3339, UTC
	Local string `json:"local"` // the same moment in Zone
	Zone  string `json:"zone"`
}

func routes(now func() time.Time, zone *time.Location, tracer *xray.Tracer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]string{"status": "ok"})
	})
	mux.Handle("GET /time", tracer.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t := now()
		writeJSON(w, answer{
			Time:  t.UTC().Format(time.RFC3339Nano),
			Local: t.In(zone).Format(time.RFC3339Nano),
			Zone:  zone.String(),
		})
	})))
	return mux
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // a stored time is a wrong time
	_ = json.NewEncoder(w).Encode(v)            // the caller is gone: nobody is left to tell
}
