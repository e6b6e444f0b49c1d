package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"composecdk/imageupdate"
)

// object is an S3 object, accessed with the AWS CLI.
type object struct{ uri, bucket, key string }

var (
	_         imageupdate.Store = object{}
	objectURI                   = regexp.MustCompile(`^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)$`)
)

func newObject(uri string) (object, error) {
	m := objectURI.FindStringSubmatch(uri)
	if m == nil {
		return object{}, fmt.Errorf("--zip is %q: give an object, as in s3://BUCKET/KEY", uri)
	}
	return object{uri, m[1], m[2]}, nil
}

// maxObject is far above the size of any archive of compose files, in bytes.
const maxObject = 64 << 20

// Get implements imageupdate.Store. The version is the ETag.
func (o object) Get(ctx context.Context) (archive []byte, version string, err error) {
	err = o.inFolder(func(file string) error {
		out, err := aws(ctx, os.Environ(), "s3api", "get-object", "--bucket="+o.bucket, "--key="+o.key, "--query=ETag", "--output=text", file)
		if err != nil {
			return err
		}
		if info, err := os.Stat(file); err != nil || info.Size() > maxObject {
			return fmt.Errorf("%s: it is larger than %d MiB, or cannot be read", o.uri, maxObject>>20)
		}
		version = strings.TrimSpace(string(out))
		archive, err = os.ReadFile(file)
		return err
	})
	return archive, version, err
}

// Put implements imageupdate.Store with a conditional write.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (o object) Put(ctx context.Context, archive []byte, version string) error {
	return o.inFolder(func(file string) error {
		if err := os.WriteFile(file, archive, 0o600); err != nil {
			return err
		}
		_, err := aws(ctx, os.Environ(), "s3api", "put-object", "--bucket="+o.bucket, "--key="+o.key, "--body="+file, "--if-match="+version, "--output=json")
		if err != nil && outdated.MatchString(err.Error()) {
			return fmt.Errorf("%s: %w", o.uri, imageupdate.ErrOutdated)
		}
		return err
	})
}

// outdated matches S3's answers if the object was replaced meanwhile.
var outdated = regexp.MustCompile(`\((PreconditionFailed|ConditionalRequestConflict)\)`)

// inFolder calls do with the name of a file in a temporary folder.
func (o object) inFolder(do func(file string) error) error {
	dir, err := os.MkdirTemp("", "composer-")
	if err != nil {
		return fmt.Errorf("a temporary folder cannot be made: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a left-over temporary folder harms nobody
	return do(filepath.Join(dir, "object.zip"))
}
