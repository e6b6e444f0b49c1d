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

type targetStage struct {
	awscdk.Stage
	// application is nil if the stage is a copy.
	application *stacks.Application
}

// targets makes the stages of targets.
type targets struct {
	*Props
	app constructs.Construct
}

// stages makes the stages of the targets of an environment, by StageID. With copies,
// targets that share a pattern are synthesised once (docs/decisions/copied-targets.md).
func (ts *targets) stages(e *config.Environment, copies bool) (map[string]targetStage, error) {
	made := map[string]targetStage{}
	for _, p := range e.Patterns() {
		if copies && len(p.Of) > 1 && ts.Pattern != nil {
			ok, err := ts.copy(e, p, made)
			if err != nil {
				return nil, err
			}
			if ok {
				continue
			}
		}
		for _, t := range p.Of {
			stage, err := ts.stage(ts.app, e, t)
			if err != nil {
				return nil, err
			}
			made[ts.Config.StageID(e, t)] = stage
		}
	}
	return made, nil
}

// stage makes the stage of a target with the stacks of the application.
func (ts *targets) stage(app constructs.Construct, e *config.Environment, t config.Target) (targetStage, error) {
	stage := awscdk.NewStage(app, jsii.String(ts.Config.StageID(e, t)), stageProps(ts.Config, t))
	application, err := ts.Application(stage, e, t)
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

// stageCopy reads an assembly that is written already.
type stageCopy struct {
	awscdk.Stage
	assembly string
}

// Synth reads the assembly. The CDK calls it in place of its own.
func (s *stageCopy) Synth(*awscdk.StageSynthesisOptions) cxapi.CloudAssembly {
	return cxapi.NewCloudAssembly(&s.assembly, nil)
}

// copy synthesises a pattern in an app of its own, and copies that assembly to the
// stages of its targets. If some difference of a target cannot be filled in, ok is false
// and nothing is made.
func (ts *targets) copy(e *config.Environment, p config.Pattern, made map[string]targetStage) (ok bool, err error) {
	id := ts.Config.StageID(e, p.Target)
	dir, err := ts.Pattern(func(app constructs.Construct) error {
		stage, err := ts.stage(app, e, p.Target)
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
	var copies []map[string]string
	for _, t := range p.Of {
		files, ok := pattern.filled(p.Fill(t))
		if !ok {
			return false, nil
		}
		copies = append(copies, files)
	}
	for i, t := range p.Of {
		stage := &stageCopy{}
		id := ts.Config.StageID(e, t)
		awscdk.NewStage_Override(stage, ts.app, &id, stageProps(ts.Config, t))
		stage.assembly = *stage.Outdir()
		for name, text := range copies[i] {
			if err := os.WriteFile(filepath.Join(stage.assembly, name), []byte(text), 0o600); err != nil {
				return false, fmt.Errorf("the assembly of a target: %w", err)
			}
		}
		made[id] = targetStage{Stage: stage}
	}
	return true, nil
}

// assembly holds the cloud assembly of a stage in memory.
type assembly struct {
	// templates and others are contents by file name.
	templates, others map[string]string
	// constructs has the paths of all constructs.
	constructs []string
}

const (
	templateSuffix = ".template.json"
	metadataSuffix = ".metadata.json"
	assetsSuffix   = ".assets.json"
)

// readAssembly reads the assembly of a stage. It has no folders: the CDK keeps assets
// in the assembly of the app.
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

// filled returns the files of the assembly with the identifiers of a target, and with
// all text that the CDK derives from them. If a marker is left, ok is false.
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

// derived replaces the identifiers that the CDK derives from the paths of constructs:
// ids of artifacts and names from the whole path, logical ids from the path below the
// stack.
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

// belowStack cuts the stage and the stack off a path.
func belowStack(path string) string {
	const before = 2
	parts := strings.Split(path, "/")
	return strings.Join(parts[min(before, len(parts)):], "/")
}

var notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]`)

// uniqueID derives an id from a path as the CDK does: its alphanumeric text, and its
// hash (aws-cdk-lib, core/lib/private/uniqueid.ts).
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

// rekeyed gives the destinations in a manifest of assets the keys that the CDK would:
// the account, the region and the hash of the destination.
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

// contentHash names a template in a bucket as the CDK does.
func contentHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
