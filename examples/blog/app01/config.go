package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

// config holds the settings of app01 from its environment.
type config struct {
	port     string
	app02    *url.URL
	queueURL string // empty: no queue, as under a plain docker compose up
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
	if getenv("APP02_URL") == "" {
		problems = append(problems, errors.New("APP02_URL is not set: the address of app02 is needed, such as http://app02:8080"))
	} else if cfg.app02, err = httpURL("APP02_URL", getenv("APP02_URL")); err != nil {
		problems = append(problems, err)
	}
	if cfg.queueURL = getenv("QUEUE01"); cfg.queueURL != "" {
		if _, err := httpURL("QUEUE01", cfg.queueURL); err != nil {
			problems = append(problems, err)
		}
	}
	return cfg, errors.Join(problems...)
}

func httpURL(name, value string) (*url.URL, error) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%s is %q: a URL such as http://host:8080 is needed", name, value)
	}
	return u, nil
}
