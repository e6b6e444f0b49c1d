package compose

import "testing"

func TestMountsOfSources(t *testing.T) {
	m := mustFamilies(t, `
services:
  web:
    build: {context: ., dockerfile_inline: "FROM scratch\nCOPY . /code"}
    volumes: [".:/code", "/code/node_modules", "/cache"]
`)
	// The volume below the sources only kept them from hiding the image's own.
	mounts := familyNamed(t, m, "web").Containers[0].Mounts
	if len(mounts) != 1 || mounts[0].Target != "/cache" {
		t.Errorf("mounts are %v, want /cache alone", mounts)
	}
}
