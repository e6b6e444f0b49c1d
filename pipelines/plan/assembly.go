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

// CheckAssembly holds the synthesised pipelines against the quotas: unlike a plan, it
// counts stacks that only a synthesis can divide. Stages that CDK Pipelines cut into
// several count as one.
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

// stackOf returns the stacks of the pipelines that update themselves.
func (p *Plan) stackOf(pipeline *Pipeline) string {
	if pipeline == p.cdPipeline() {
		return "Cd"
	}
	return "Platform"
}

// measure counts what the template of a pipeline has. One that is not there is no
// fault: the CDK did not get to it.
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

// stages are those of a synthesised pipeline: how many actions by name, and how many
// pieces they were cut into.
type stages struct {
	actions map[string]int
	pieces  int
}

// piece is the end of the name of a stage that CDK Pipelines cut.
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
