package pipelines

import (
	"bytes"
	"crypto/md5" //nolint:gosec // as the CDK names artifacts
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
// Targets that share a pattern are synthesised once (docs/decisions/copied-targets.md).
func targetStages(app constructs.Construct, props *Props, e *config.Environment) (map[string]targetStage, error) {
	made := map[string]targetStage{}
	for _, p := range e.Patterns() {
		if len(p.Of) > 1 && props.Pattern != nil {
			ok, err := replicate(app, props, e, p, made)
			if err != nil {
				return nil, err
			}
			if ok {
				continue
			}
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

// applicationStage returns the stage of a target with the stacks of the application.
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
// targets from that assembly. It tells by ok whether all that differs could be
// replaced; if not, nothing is made.
func replicate(app constructs.Construct, props *Props, e *config.Environment, p config.Pattern, made map[string]targetStage) (ok bool, err error) {
	id := props.Config.StageID(e, p.Target)
	dir, err := props.Pattern(func(app constructs.Construct) error {
		stage, err := applicationStage(app, props, e, p.Target)
		if err == nil {
			stage.Synth(&awscdk.StageSynthesisOptions{ValidateOnSynthesis: jsii.Bool(true)}) // as CDK Pipelines does
		}
		return err
	})
	if err != nil {
		return false, err
	}
	pattern, err := readAssembly(filepath.Join(dir, "assembly-"+id), id)
	if err != nil {
		return false, err
	}
	var replicas []map[string]string
	for _, t := range p.Of {
		files, ok := pattern.filled(p.Fill(t))
		if !ok {
			return false, nil
		}
		replicas = append(replicas, files)
	}
	for i, t := range p.Of {
		stage := &replica{}
		id := props.Config.StageID(e, t)
		awscdk.NewStage_Override(stage, app, &id, stageProps(props.Config, t))
		stage.assembly = *stage.Outdir()
		for name, text := range replicas[i] {
			if err := os.WriteFile(filepath.Join(stage.assembly, name), []byte(text), 0o600); err != nil {
				return false, fmt.Errorf("the assembly of a target: %w", err)
			}
		}
		made[id] = targetStage{Stage: stage}
	}
	return true, nil
}

// assembly is the cloud assembly of a stage in memory.
type assembly struct {
	// templates and others are contents by file name.
	templates, others map[string]string
	// constructs are the paths of all constructs.
	constructs []string
}

const (
	templateSuffix = ".template.json"
	metadataSuffix = ".metadata.json"
	assetsSuffix   = ".assets.json"
)

// readAssembly reads the assembly of a stage. It has no folders: assets are kept
// beside those of the whole app.
func readAssembly(dir, stage string) (*assembly, error) {
	a := &assembly{templates: map[string]string{}, others: map[string]string{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the assembly of a pattern: %w", err)
	}
	paths := map[string]bool{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("the assembly of a pattern: %w", err)
		}
		if strings.HasSuffix(entry.Name(), templateSuffix) {
			a.templates[entry.Name()] = string(text)
			continue
		}
		a.others[entry.Name()] = string(text)
		var metadata map[string]json.RawMessage
		if strings.HasSuffix(entry.Name(), metadataSuffix) && json.Unmarshal(text, &metadata) == nil {
			for path := range metadata {
				for path = strings.TrimPrefix(path, "/"); path != stage && path != "."; path = filepath.Dir(path) {
					paths[path] = true
				}
			}
		}
	}
	a.constructs = slices.Sorted(maps.Keys(paths))
	return a, nil
}

// filled returns the files of the assembly with other identifiers, and with all that the
// CDK derives from these. It tells by ok whether no marker is left.
func (a *assembly) filled(fill *strings.Replacer) (files map[string]string, ok bool) {
	derive := a.derived(fill)
	files = map[string]string{}
	var hashes []string
	for name, text := range a.templates {
		filled := derive.Replace(fill.Replace(text))
		hashes = append(hashes, contentHash(text), contentHash(filled))
		files[derive.Replace(name)] = filled
	}
	rehash := strings.NewReplacer(hashes...)
	for name, text := range a.others {
		filled := rehash.Replace(derive.Replace(fill.Replace(text)))
		if strings.HasSuffix(name, assetsSuffix) {
			filled = rekeyed(filled)
		}
		files[derive.Replace(name)] = filled
	}
	for name, text := range files {
		if config.Marked(name) || config.Marked(text) {
			return nil, false
		}
	}
	return files, true
}

// derived replaces what the CDK makes of the paths of constructs: ids of artifacts and
// names, of the whole path, and logical ids, of what is below the stack.
func (a *assembly) derived(fill *strings.Replacer) *strings.Replacer {
	var pairs []string
	for _, path := range a.constructs {
		filled := fill.Replace(path)
		pairs = append(pairs, uniqueID(path), uniqueID(filled))
		if inStack, filled := belowStack(path), belowStack(filled); inStack != filled {
			pairs = append(pairs, uniqueID(inStack), uniqueID(filled))
		}
	}
	return strings.NewReplacer(pairs...)
}

// belowStack returns a path without the stage and the stack that it begins with.
func belowStack(path string) string {
	const before = 2
	parts := strings.Split(path, "/")
	return strings.Join(parts[min(before, len(parts)):], "/")
}

var notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]`)

// uniqueID returns what the CDK makes of a path: its text without what no id may hold, and
// its hash (aws-cdk-lib, core/lib/private/uniqueid.ts).
func uniqueID(path string) string {
	const digits, longest = 4, 240
	var parts, human []string
	for _, part := range strings.Split(path, "/") {
		if part != "Default" {
			parts = append(parts, part)
		}
	}
	for _, part := range parts {
		if repeated := len(human) > 0 && strings.HasSuffix(human[len(human)-1], part); !repeated {
			human = append(human, part)
		}
	}
	human = slices.DeleteFunc(human, func(part string) bool { return part == "Resource" })
	sum := md5.Sum([]byte(strings.Join(parts, "/"))) //nolint:gosec // a name, no secret
	text := notAlphanumeric.ReplaceAllString(strings.Join(human, ""), "")
	return text[:min(len(text), longest)] + strings.ToUpper(hex.EncodeToString(sum[:digits]))
}

// rekeyed returns a manifest of assets whose destinations have the keys that the CDK gives
// them: the account, the region and the hash of the destination.
func rekeyed(manifest string) string {
	var m struct {
		Files map[string]struct {
			Destinations map[string]json.RawMessage
		}
	}
	if json.Unmarshal([]byte(manifest), &m) != nil {
		return manifest
	}
	for _, file := range m.Files {
		for key, destination := range file.Destinations {
			var compact bytes.Buffer
			if json.Compact(&compact, destination) == nil {
				const digits = 8
				manifest = strings.ReplaceAll(manifest, key, key[:len(key)-digits]+contentHash(compact.String())[:digits])
			}
		}
	}
	return manifest
}

// contentHash returns how the CDK names a template in a bucket.
func contentHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
