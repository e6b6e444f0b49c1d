package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// s3 is a fake of S3: a file beside the program, whose ETag is a number. The first write
// meets a newer version.
const s3 = `cd "$(dirname "$0")"
etag=$(cat etag)
for last; do :; done
case "$*" in
*get-object*) cp object.zip "$last"; echo "\"$etag\"" ;;
*put-object*)
  if [ ! -e met ]; then touch met; echo 2 > etag; fi
  etag=$(cat etag)
  case "$*" in *"--if-match=\"$etag\""*) ;; *) echo "An error occurred (PreconditionFailed) when calling the PutObject operation" >&2; exit 254 ;; esac
  body=$(echo "$*" | sed 's/.*--body=\([^ ]*\).*/\1/'); cp "$body" object.zip ;;
esac
`

func TestSetImageInZip(t *testing.T) {
	log := cli(t, s3)
	dir, _, _ := strings.Cut(os.Getenv("PATH"), ":")
	write(t, filepath.Join(dir, "etag"), "1\n")
	f, err := os.Create(filepath.Join(dir, "object.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if err := zip.NewWriter(f).Close(); err != nil {
		t.Fatal(err)
	}
	args := []string{"set-image", "--overlay", "--service", "app01", "--image", uri + "@" + hash, "--zip", "s3://sources/a b/compose.zip"}
	wantRun(t, args, 0, "images/app01.yaml: the image of app01 is now (in s3://sources/a b/compose.zip) "+uri, "")
	wantRun(t, args, 0, "images/app01.yaml: the image of app01 is already "+uri, "")
	if called := log(); strings.Count(called, "get-object --bucket=sources --key=a b/compose.zip") != 3 || strings.Count(called, "put-object") != 2 {
		t.Errorf("want a second attempt, and no third, got\n%s", called)
	}
	r, err := zip.OpenReader(filepath.Join(dir, "object.zip"))
	if err != nil || len(r.File) != 1 || r.File[0].Name != "images/app01.yaml" {
		t.Errorf("got %v, %v", r, err)
	}
	cli(t, "echo 'An error occurred (AccessDenied)' >&2; exit 254")
	wantRun(t, args, 2, "", "aws s3api get-object: An error occurred (AccessDenied)")
	wantRun(t, append(args, "--push"), 2, "", "[push zip]")
	wantRun(t, append(args, "--zip", "compose.zip"), 2, "", "--zip is \"compose.zip\": give an object")
}
