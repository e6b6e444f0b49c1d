package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	_ "time/tzdata" // the image holds nothing but the program
)

// config holds the settings of app02 from its environment.
type config struct {
	port string
	zone *time.Location
}

// readConfig reads and checks the environment. Its error lists all mistakes.
func readConfig(getenv func(string) string) (config, error) {
	var problems []error
	cfg := config{port: getenv("PORT")}
	if cfg.port == "" {
		cfg.port = "8080"
	}
	if n, err := strconv.ParseUint(cfg.port, 10, 16); err != nil || n == 0 {
		problems = append(problems, fmt.Errorf("PORT is %q: a port from 1 to 65535 is needed", cfg.port))
	}
	var err error
	if cfg.zone, err = time.LoadLocation(getenv("TZ")); err != nil {
		problems = append(problems, fmt.Errorf("TZ is %q: a zone such as Europe/London is needed", getenv("TZ")))
	}
	return cfg, errors.Join(problems...)
}
