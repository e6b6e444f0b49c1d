package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose"
	"composecdk/pipelines/config"
)

// CheckAssembly checks the synthesised pipelines against the quotas: unlike a plan, it
// counts stacks that only a synthesis can divide. Stages that CDK Pipelines has split
// count as one.
func CheckAssembly(c *config.Config, dir string) (compose.Diagnostics, error) {
	p := New(c, func(*config.Environment) *compose.Model { return nil })
	p.Usage = nil
	for _, pipeline := range []*Pipeline{p.Pipelines[0], p.cdPipeline()} {
		if err := p.measure(dir, pipeline); err != nil {
			return nil, err
		}
	}
	return p.Check(), nil
}

// stackOf returns the stack of a pipeline that updates itself.
func (p *Plan) stackOf(pipeline *Pipeline) string {
	if pipeline == p.cdPipeline() {
		return "Cd"
	}
	return "Platform"
}

// measure counts the parts of a pipeline's template. A missing template is no error: the
// CDK failed before it.
func (p *Plan) measure(dir string, planned *Pipeline) error {
	text, err := os.ReadFile(filepath.Join(dir, p.stackOf(planned)+".template.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the template of %s: %w", planned.Name, err)
	}
	made, resources, err := parse(text)
	if err != nil {
		return fmt.Errorf("the template of %s: %w", planned.Name, err)
	}
	stack := p.config.Name + "-" + strings.ToLower(p.stackOf(planned))
	p.use(templateBytes, stack, len(text), planned.path)
	p.use(resourcesPerStack, stack, resources, planned.path)
	p.use(stagesPerPipeline, planned.Name, made.pieces, planned.path)
	total := 0
	for i, s := range planned.Stages {
		n := made.actions[s.Name]
		total += n
		p.use(actionsPerStage, planned.Name+"/"+s.Name, n, s.path)
		planned.Stages[i].Actions = slices.DeleteFunc(s.Actions, func(a Action) bool { return a.Kind != Approve })
	}
	p.use(actionsPerPipeline, planned.Name, total, planned.path)
	return nil
}

// stages count the actions of a synthesised pipeline's stages by name, and the pieces
// into which each was split.
type stages struct {
	actions map[string]int
	pieces  int
}

// piece is the suffix of a stage that CDK Pipelines has split.
var piece = regexp.MustCompile(`\.[0-9]+$`)

func parse(text []byte) (made stages, resources int, err error) {
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				Stages []struct {
					Name    string
					Actions []json.RawMessage
				}
			}
		}
	}
	if err := json.Unmarshal(text, &template); err != nil {
		return made, 0, err
	}
	made.actions = map[string]int{}
	for _, r := range template.Resources {
		if r.Type != "AWS::CodePipeline::Pipeline" {
			continue
		}
		for _, s := range r.Properties.Stages {
			made.actions[piece.ReplaceAllString(s.Name, "")] += len(s.Actions)
			made.pieces++
		}
	}
	return made, len(template.Resources), nil
}
