// Command app01 is the front end of the blog example: it takes a call, sends a
// message to a queue, asks app02 for the time and answers with both.
//
// Environment:
//
//	APP02_URL                address of app02, such as http://app02:8080; required
//	QUEUE01                  URL of the queue; without it no message is sent
//	PORT                     port to listen on, 8080 by default
//	AWS_REGION               region of the queue; set by ECS itself
//	AWS_XRAY_DAEMON_ADDRESS  address of the X-Ray daemon; without it nothing is traced
//
// and what the AWS SDK reads by itself: credentials and AWS_ENDPOINT_URL.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/blog/app01/xray"
)

const (
	// Longer than the 60 s for which an AWS load balancer keeps a connection:
	// the side that reuses connections must be the first to close them.
	idleTimeout = 75 * time.Second
	// Shorter than the 10 s that Docker, and the 30 s that ECS, wait between
	// SIGTERM and SIGKILL.
	shutdownTimeout = 8 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	status := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	os.Exit(status)
}

// run starts the program with its environment as parameters. It returns the exit status: 0
// after a clean shutdown, 1 when it cannot start or serve, 2 for a wrong flag.
func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) int {
	log := slog.New(slog.NewJSONHandler(out, nil)).With("service", "app01")
	flags := flag.NewFlagSet("app01", flag.ContinueOnError)
	flags.SetOutput(out)
	healthcheck := flags.Bool("healthcheck", false, "ask the running app01 whether it is healthy, and exit")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}

	cfg, err := readConfig(getenv)
	if err != nil {
		log.Error("cannot start", "error", err)
		return 1
	}
	if *healthcheck {
		if err := checkHealth(ctx, cfg.port); err != nil {
			log.Error("not healthy", "error", err)
			return 1
		}
		return 0
	}

	tracer, err := xray.New("app01", getenv("AWS_XRAY_DAEMON_ADDRESS"))
	if err != nil {
		log.Warn("nothing is traced", "error", err)
	}
	front := &frontEnd{clock: newClock(cfg.app02), tracer: tracer, log: log}
	if cfg.queueURL == "" {
		log.Warn("QUEUE01 is not set: calls are answered, no message is sent")
	} else if front.queue, err = newSQSQueue(ctx, cfg.queueURL); err != nil {
		log.Error("cannot start", "error", err)
		return 1
	}
	if err := serve(ctx, cfg.port, front.routes(), log); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

// serve answers requests until ctx ends, then lets those under way finish.
func serve(ctx context.Context, port string, handler http.Handler, log *slog.Logger) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Info("listening", "address", listener.Addr().String())

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("shutting down")
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}
	log.Info("bye")
	return nil
}

// checkHealth asks the program on this machine's port. The image has no shell and no curl,
// so the program is its own health check.
func checkHealth(ctx context.Context, port string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/healthz answered %s", answer.Status)
	}
	return nil
}
