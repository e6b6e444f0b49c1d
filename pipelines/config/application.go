package config

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose"
	"composecdk/compose/load"
)

// Application returns the options to load the application of a target: the compose files
// in the checkout of their repository, overridden by the images that the CI pipelines
// handed over and by the network of the target. A missing image is an error in a
// pipeline that deploys it; elsewhere an image that cannot be pulled replaces it, so
// that everything can be synthesised.
func (c *Config) Application(e *Environment, t Target, checkout string, untrusted bool) (load.Options, compose.Diagnostics) {
	opts := load.Options{
		WorkingDir: checkout, Root: checkout, ProjectName: c.Name, Untrusted: untrusted,
		Files: slices.Concat(c.Compose.Files, e.ComposeFiles), Sections: c.Sections(e, t),
	}
	var found compose.Diagnostics
	for _, a := range c.Apps {
		image, pos, more := c.image(a, checkout, untrusted)
		found = append(found, more...)
		if image != "" {
			opts.Sections = append(opts.Sections, load.Section{Keys: []string{"services", a.Service, "image"}, Value: image, Pos: pos})
		}
	}
	return opts, found.Sort()
}

// MissingFiles reports the compose files that a checkout lacks, at the keys that name
// them.
func (c *Config) MissingFiles(checkout string) (found compose.Diagnostics) {
	look := func(path compose.Path, files []string) {
		for i, file := range files {
			if _, err := os.Stat(filepath.Join(checkout, file)); errors.Is(err, fs.ErrNotExist) {
				found = append(found, compose.Diagnostic{
					Pos: c.Pos(path), Path: path.Index(i), Severity: compose.Error, Code: "compose-missing",
					Message: file + " is not in " + checkout + ", the checkout of the compose repository",
					Hint:    "name the right folder: -c checkout=DIR of cdk, --checkout DIR of composer",
				})
			}
		}
	}
	look("Compose.Files", c.Compose.Files)
	for _, e := range c.Environments {
		look(e.Path.Key("ComposeFiles"), e.ComposeFiles)
	}
	return found.Sort()
}

// Sections returns the network, the cluster and the namespace of a target as sections of
// a compose file.
func (c *Config) Sections(e *Environment, t Target) []load.Section {
	var sections []load.Section
	set := func(path compose.Path, value any, keys ...string) {
		sections = append(sections, load.Section{Keys: keys, Value: value, Pos: c.Pos(path)})
	}
	switch {
	case t.VPC != nil:
		set(t.VPC.Path, map[string]any{"Lookup": t.VPC.lookup()}, "x-vpc")
	case e.NewVPC != nil:
		set(e.NewVPC.Path, map[string]any{"Properties": e.NewVPC.properties(t.Account.Zones(t.Region))}, "x-vpc")
	}
	at := e.Path.Key("Cluster")
	switch {
	case t.Cluster != "":
		set(at, map[string]any{"Lookup": t.Cluster}, "x-cluster")
	case e.Type == Ephemeral: // never uses an existing cluster
		set(at, nil, "x-cluster", "Lookup")
		set(at, nil, "x-cluster", "Use")
	}
	at = e.Path.Key("Namespace")
	switch {
	case t.Namespace != "":
		set(at, map[string]any{"NamespaceId": t.Namespace}, "x-cloudmap", "*", "Lookup")
	case e.Type == Ephemeral:
		set(at, nil, "x-cloudmap", "*", "Lookup")
	}
	return sections
}

func (v *ExistingVPC) lookup() map[string]any {
	lookup := map[string]any{"VpcId": v.ID}
	for tier, ids := range map[string][]string{
		compose.AppSubnets: v.AppSubnets, compose.PublicSubnets: v.PublicSubnets, compose.StorageSubnets: v.StorageSubnets,
	} {
		if len(ids) > 0 {
			lookup[tier] = ids
		}
	}
	return lookup
}

func (v *NewVPC) properties(zones []string) map[string]any {
	p := map[string]any{"VpcCidr": v.CIDR, "AvailabilityZones": zones}
	switch v.NATGateways {
	case 0:
		p["DisableNat"] = true
	case 1:
		p["SingleNat"] = true
	}
	return p
}

// ImagesFile returns the path of the file with the digest of an application's image,
// relative to the root of the compose repository.
func (c *Config) ImagesFile(a *App) string { return path.Join(c.Compose.Images, a.Service+".yaml") }

// RepositoryURI returns the ECR repository of an application, without a tag.
func (c *Config) RepositoryURI(a *App) string { return c.Registry() + "/" + a.Repository.Name }

// noImage replaces a missing digest.
var noImage = "@sha256:" + strings.Repeat("0", 64)

// imagesFile holds a compose file that sets the image of a service and nothing else.
type imagesFile struct {
	Services map[string]struct {
		Image string `key:"image"`
	} `key:"services"`
}

// image reads the image of an application that its pipeline handed over, and its place.
// The file may hold nothing else, and no other image: whoever can write it must not be
// able to deploy an image that was not built and scanned here.
func (c *Config) image(a *App, checkout string, untrusted bool) (image string, at compose.Pos, found compose.Diagnostics) {
	name := filepath.Join(checkout, c.ImagesFile(a))
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		missing := compose.Diagnostic{
			Pos: c.Pos(a.Path), Path: a.Path, Severity: compose.Warning, Code: "image-none",
			Message: "service " + a.Service + " has no image yet: " + c.ImagesFile(a) + " is written at the end of pipeline " + a.CIPipeline(),
			Hint:    "an image that nobody can pull stands for it",
		}
		if untrusted && !c.Unreleased {
			missing.Severity, missing.Hint = compose.Error, "push to the application's repository, or release a change in pipeline "+a.CIPipeline()
			return "", compose.Pos{}, compose.Diagnostics{missing}
		}
		return c.RepositoryURI(a) + noImage, missing.Pos, compose.Diagnostics{missing}
	}
	d := load.OpenDocument(load.DocumentOptions{File: name, Root: checkout, What: "a file of an image", Key: "services"})
	if d.Root == nil {
		return "", compose.Pos{}, d.Found()
	}
	var f imagesFile
	d.Index()
	d.Decode(&f)
	path := compose.At("services", a.Service, "image")
	for _, service := range slices.Sorted(maps.Keys(f.Services)) {
		if service != a.Service {
			d.Report(compose.Error, compose.At("services", service), "image-service", "", "the file is for service %s alone", a.Service)
		}
	}
	image = f.Services[a.Service].Image
	if digest, ok := strings.CutPrefix(image, c.RepositoryURI(a)); !ok || !digestOnly.MatchString(digest) {
		d.Report(compose.Error, path, "image-foreign", "", "%q is no image of %s by its digest", image, c.RepositoryURI(a))
	}
	return image, d.Pos(path), d.Found()
}

var digestOnly = regexp.MustCompile(`^@sha256:[0-9a-f]{64}$`)
