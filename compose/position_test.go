package compose

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"composecdk/compose/load"
	"composecdk/test/folder"
)

func mustLoad(t *testing.T, opts load.Options) *load.Project {
	t.Helper()
	p, ds := load.Files(context.Background(), opts)
	for _, d := range ds.Sort() {
		if d.Severity == Error {
			t.Fatal(d)
		}
	}
	return p
}

// A path must lead to the place where its last value was written: a scalar to
// itself, a mapping or list to its key, anything deeper to its nearest ancestor.
func TestPositions(t *testing.T) {
	dir := folder.New(t, map[string]string{
		"compose.yml": `include: [inc.yml]
services:
  web:
    image: nginx
    ports: ["80", "443:443"]
    environment: [A=1, B]
    depends_on: [db]
    networks:
      - front
    secrets: [{source: pw, target: X}]
    extends: {file: base.yml, service: base}
    command: [a, b]
    links: ["db:database"]
  old:
    image: nginx
    configs: {use_alb: true}
networks: {front: {}}
secrets: {pw: {}}
x-sqs:
  orders:
    Properties: {KmsMasterKeyId: !GetAtt Key.Arn}
    Services:
      - name: web
        access: RO
`,
		"over.yml": `services:
  web:
    image: caddy
    ports: ["81"]
    command: [c]
`,
		"inc.yml": `services:
  db: {image: postgres}
x-rds:
  main: {Properties: {}}
`,
		"base.yml": `services:
  base:
    user: root
    environment: [C=3]
    image: busybox
`,
	})
	p := mustLoad(t, load.Options{Files: []string{"compose.yml", "over.yml"}, WorkingDir: dir})
	for path, want := range map[Path]string{
		"services.web":                                         "over.yml:2:3",
		"services.web.image":                                   "over.yml:3:12",
		"services.web.image.deeper[3]":                         "over.yml:3:12",
		"services.web.ports":                                   "over.yml:4:5",
		"services.web.ports[0]":                                "compose.yml:5:13",
		"services.web.ports[1].target":                         "compose.yml:5:19",
		"services.web.ports[2]":                                "over.yml:4:13",
		"services.web.ports[9]":                                "over.yml:4:5",
		"services.web.command[0]":                              "over.yml:5:15",
		"services.web.environment.A":                           "compose.yml:6:19",
		"services.web.environment.B":                           "compose.yml:6:24",
		"services.web.environment.C":                           "base.yml:4:19",
		"services.web.depends_on.db":                           "compose.yml:7:18",
		"services.web.networks.front":                          "compose.yml:9:9",
		"services.web.secrets.pw":                              "compose.yml:10:24",
		"services.web.secrets[0].target":                       "compose.yml:10:36",
		"services.web.links.db":                                "compose.yml:13:13",
		"services.web.user":                                    "base.yml:3:11",
		"services.db.image":                                    "inc.yml:2:15",
		"services.old.configs.use_alb":                         "compose.yml:16:24",
		"x-rds.main":                                           "inc.yml:4:3",
		"x-sqs.orders":                                         "compose.yml:20:3",
		"x-sqs.orders.Services.web.access":                     "compose.yml:24:17",
		"x-sqs.orders.Services[0].access":                      "compose.yml:24:17",
		"x-sqs.orders.Properties.KmsMasterKeyId.Fn::GetAtt[1]": "compose.yml:21:34",
		"nowhere": "compose.yml",
	} {
		if got := strings.TrimPrefix(p.Pos(path).String(), dir+"/"); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if got, want := fmt.Sprint(p.KeyPos("services.web.image").Column), "5"; got != want {
		t.Errorf("KeyPos: column %s, want %s", got, want)
	}
}
