// Package diagram draws a pipeline.yaml: accounts, pipelines and their stages, and the
// flow of images and files between them. Graphviz lays it out, as WebAssembly within
// this program: nothing has to be installed, and equal files give equal bytes.
package diagram

import (
	"bytes"
	"context"
	"fmt"

	"github.com/goccy/go-graphviz"

	"composecdk/pipelines/config"
)

// SVG draws a configuration.
func SVG(ctx context.Context, c *config.Config) (svg []byte, err error) {
	engine, err := graphviz.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("start Graphviz: %w", err)
	}
	defer func() {
		if closed := engine.Close(); err == nil && closed != nil {
			err = fmt.Errorf("end Graphviz: %w", closed)
		}
	}()
	graph, err := graphviz.ParseBytes([]byte(draw(c)))
	if err != nil {
		return nil, fmt.Errorf("the picture of %s: %w", c.Name, err)
	}
	defer func() {
		if closed := graph.Close(); err == nil && closed != nil {
			err = fmt.Errorf("end Graphviz: %w", closed)
		}
	}()
	var out bytes.Buffer
	if err := engine.Render(ctx, graph, graphviz.SVG, &out); err != nil {
		return nil, fmt.Errorf("draw %s: %w", c.Name, err)
	}
	return out.Bytes(), nil
}
