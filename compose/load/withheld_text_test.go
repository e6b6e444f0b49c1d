package load

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/test/folder"
)

// loadText loads one file and answers with the codes of its errors.
func loadText(t *testing.T, text string) string {
	t.Helper()
	dir := folder.New(t, map[string]string{"compose.yml": text})
	_, found := Files(context.Background(), Options{Files: []string{filepath.Join(dir, "compose.yml")}, ProjectName: "text"})
	return errorCodes(found)
}

// Characters that nobody sees must be refused, from the first to the last of each
// kind, and those beside them must not.
func TestInvisibleCharacters(t *testing.T) {
	for r, want := range map[rune]string{
		0x1f: "text-control", 0x7f: "text-control", 0x9f: "text-control", 0xa0: "", '~': "", '\t': "", '\n': "", ' ': "",
		0x2029: "", 0x202a: "text-invisible", 0x202e: "text-invisible", 0x202f: "", 0x2065: "", 0x2066: "text-invisible", 0x2069: "text-invisible", 0x206a: "",
	} {
		if got := loadText(t, fmt.Sprintf("services: {web: {image: nginx, environment: {A: \"a\\U%08Xb\"}}}\n", r)); got != want {
			t.Errorf("U+%04X: got %q, want %q", r, got, want)
		}
	}
}

// Numbers must be refused where the CDK would take them for something of its own.
func TestLargeNumbers(t *testing.T) {
	for number, want := range map[string]string{
		"1000000000000000000": "", "1.1e18": "text-number", "-1.1e18": "text-number", "-1000000000000000000": "", "0o17": "", "0x1F": "",
		"0o" + strings.Repeat("7", 20): "text-number",
	} {
		if got := loadText(t, oneService+"x-a: {n: "+number+"}\n"); got != want {
			t.Errorf("%s: got %q, want %q", number, got, want)
		}
	}
}

// A document may say nothing, but a text alone is no compose file.
func TestRootOfDocuments(t *testing.T) {
	for text, want := range map[string]string{
		"~\n---\n" + oneService: "", "# nothing\n---\n" + oneService: "", "just text\n": "yaml-root", "[a]\n": "yaml-root", oneService + "---\n5\n": "yaml-root",
	} {
		if got := loadText(t, text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
