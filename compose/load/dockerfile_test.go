package load

import "testing"

// A folder mounted over what the image holds anyway is a convenience of the
// laptop; any other folder of a machine is something that the task would miss.
func TestDockerfileHolds(t *testing.T) {
	for _, c := range []struct {
		name, text, source, target string
		want                       bool
	}{
		{"the whole context", "FROM a\nWORKDIR /code\nCOPY . .\n", ".", "/code", true},
		{"a folder of it", "FROM a\nWORKDIR /code\nCOPY . .\n", "src", "/code/src", true},
		{"at another place", "FROM a\nWORKDIR /code\nCOPY . .\n", "src", "/src", false},
		{"a copied folder", "FROM a\nCOPY ./web/dist /usr/share/html/\n", "web/dist", "/usr/share/html", true},
		{"a file into a folder", "FROM a\nCOPY conf/app.conf /etc/app/\n", "conf/app.conf", "/etc/app/app.conf", true},
		{"a file by name", "FROM a\nADD --chown=1:1 app.conf /etc/other.conf\n", "app.conf", "/etc/other.conf", true},
		{"several sources", "FROM a\nWORKDIR /app\nCOPY go.mod go.sum ./\n", "go.sum", "/app/go.sum", true},
		{"a list", "FROM a\nCOPY [\"my src\", \"/app\"]\n", "my src", "/app", true},
		{"a relative WORKDIR over two lines", "FROM a\nWORKDIR /srv\nWORKDIR app\nCOPY . \\\n  ./\n", "x", "/srv/app/x", true},
		{"a part only", "FROM a\nCOPY src /app/src\n", ".", "/app", false},
		{"from another stage", "FROM a\nCOPY --from=build . /app\n", ".", "/app", false},
		{"by a variable", "FROM a\nCOPY $SRC /app\n", ".", "/app", false},
		{"a pattern", "FROM a\nCOPY *.py /app\n", "a.py", "/app/a.py", false},
		{"in a comment", "FROM a\n# COPY . /app\n", ".", "/app", false},
		{"no file", "", ".", "/app", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parseDockerfile(c.text).Holds(c.source, c.target); got != c.want {
				t.Errorf("holds(%s, %s) is %v", c.source, c.target, got)
			}
		})
	}
}
