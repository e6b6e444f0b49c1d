package pipelines

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/stacks"
)

// targetStage is the stage of a target.
type targetStage struct {
	awscdk.Stage
	// application is nil where the stage was made from a pattern.
	application *stacks.Application
}

// targetStages makes the stages of the targets of an environment, by StageID.
// Targets that share a pattern are synthesised once (docs/decisions/replicas.md).
func targetStages(app constructs.Construct, props *Props, e *config.Environment) (map[string]targetStage, error) {
	made := map[string]targetStage{}
	for _, p := range e.Patterns() {
		if len(p.Of) > 1 && props.Pattern != nil {
			if err := replicate(app, props, e, p, made); err != nil {
				return nil, err
			}
			continue
		}
		for _, t := range p.Of {
			stage, err := applicationStage(app, props, e, t)
			if err != nil {
				return nil, err
			}
			made[props.Config.StageID(e, t)] = stage
		}
	}
	return made, nil
}

// applicationStage is the stage of a target with the stacks of the application.
func applicationStage(app constructs.Construct, props *Props, e *config.Environment, t config.Target) (targetStage, error) {
	stage := awscdk.NewStage(app, jsii.String(props.Config.StageID(e, t)), stageProps(props.Config, t))
	application, err := props.Application(stage, e, t)
	if err == nil {
		noEmptyStack(application)
	}
	return targetStage{stage, application}, err
}

func stageProps(c *config.Config, t config.Target) *awscdk.StageProps {
	return &awscdk.StageProps{
		Env:                 &awscdk.Environment{Account: &t.Account.ID, Region: &t.Region},
		PermissionsBoundary: permissionsBoundary(c, t.Account),
	}
}

// replica is a stage whose assembly is there already.
type replica struct {
	awscdk.Stage
	assembly string
}

// Synth reads the assembly. The CDK calls it in place of its own.
func (r *replica) Synth(*awscdk.StageSynthesisOptions) cxapi.CloudAssembly {
	return cxapi.NewCloudAssembly(&r.assembly, nil)
}

// replicate synthesises a pattern in an app of its own, and makes the stages of its
// targets from that assembly.
func replicate(app constructs.Construct, props *Props, e *config.Environment, p config.Pattern, made map[string]targetStage) error {
	id := props.Config.StageID(e, p.Target)
	dir, err := props.Pattern(func(app constructs.Construct) error {
		_, err := applicationStage(app, props, e, p.Target)
		return err
	})
	if err != nil {
		return err
	}
	pattern, err := readAssembly(filepath.Join(dir, "assembly-"+id))
	if err != nil {
		return err
	}
	for _, t := range p.Of {
		stage := &replica{}
		id := props.Config.StageID(e, t)
		awscdk.NewStage_Override(stage, app, &id, stageProps(props.Config, t))
		stage.assembly = *stage.Outdir()
		if err := pattern.write(stage.assembly, p.Fill(t)); err != nil {
			return err
		}
		made[id] = targetStage{Stage: stage}
	}
	return nil
}

// assembly is a cloud assembly in memory.
type assembly struct {
	// templates and others are contents by file name.
	templates, others map[string]string
}

const templateSuffix = ".template.json"

// readAssembly reads the assembly of a stage. It has no folders: assets are kept
// beside those of the whole app.
func readAssembly(dir string) (*assembly, error) {
	a := &assembly{templates: map[string]string{}, others: map[string]string{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the assembly of a pattern: %w", err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("the assembly of a pattern: %w", err)
		}
		if strings.HasSuffix(entry.Name(), templateSuffix) {
			a.templates[entry.Name()] = string(text)
		} else {
			a.others[entry.Name()] = string(text)
		}
	}
	return a, nil
}

// write writes the assembly with other identifiers. The names of templates in a
// bucket are their hashes, which are others then.
func (a *assembly) write(dir string, fill *strings.Replacer) error {
	var hashes []string
	files := map[string]string{}
	for name, text := range a.templates {
		filled := fill.Replace(text)
		hashes = append(hashes, contentHash(text), contentHash(filled))
		files[fill.Replace(name)] = filled
	}
	rehash := strings.NewReplacer(hashes...)
	for name, text := range a.others {
		files[fill.Replace(name)] = rehash.Replace(fill.Replace(text))
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("the assembly of a target: %w", err)
		}
	}
	return nil
}

// contentHash is how the CDK names a template in a bucket.
func contentHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
