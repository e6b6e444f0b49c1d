package compose

import (
	"maps"
	"slices"
)

// literals reports references where they stay as they are written: ECS gets the
// text of the file there.
func (r *resolver) literals() {
	for _, name := range slices.Sorted(maps.Keys(r.model.Tags)) {
		r.literal(At("x-tags", name), r.model.Tags[name])
	}
	for _, f := range r.model.Families {
		for _, name := range slices.Sorted(maps.Keys(f.Tags)) {
			r.literal(f.Path.Key("deploy").Key("labels").Key(name), f.Tags[name])
		}
		r.literal(f.Path.Key("logging").Key("options").Key("awslogs-group"), f.Logging.Group)
		for _, c := range f.Containers {
			r.literal(c.Path.Key("user"), c.User)
			r.literal(c.Path.Key("working_dir"), c.WorkingDir)
			if c.HealthCheck != nil {
				r.literal(c.Path.Key("healthcheck").Key("test"), c.HealthCheck.Command...)
			}
			for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
				r.literal(c.Path.Key("labels").Key(name), c.Labels[name])
			}
			for _, name := range slices.Sorted(maps.Keys(c.LogOptions)) {
				r.literal(c.Path.Key("logging").Key("options").Key(name), c.LogOptions[name])
			}
			if b := c.Image.Build; b != nil {
				for _, name := range slices.Sorted(maps.Keys(b.Args)) {
					r.literal(c.Path.Key("build").Key("args").Key(name), b.Args[name])
				}
			}
		}
	}
}

// literal reports the first reference in texts that are not resolved.
func (r *resolver) literal(path Path, texts ...string) {
	for _, text := range texts {
		for _, part := range ParseText(text) {
			written := part.Pseudo
			if part.Ref != nil {
				written = part.Ref.String()
			}
			if written != "" {
				r.Warnf(path, "reference-literal",
					"%s stays as it is written here; it gets its value in image, environment, command and entrypoint", written)
				return
			}
		}
	}
}
