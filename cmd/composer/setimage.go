package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"

	"github.com/spf13/cobra"

	"composecdk/compose"
	"composecdk/imageupdate"
)

// setImage holds the flags of set-image.
type setImage struct {
	file, images, checkout       string
	overlay                      bool
	service, image, buildInfo    string
	repository                   string
	push                         bool
	zip                          string
	remote, branch, message, who string
	attempts                     int
}

func setImageCommand() *cobra.Command {
	var s setImage
	command := &cobra.Command{
		Use:   "set-image (--file FILE | --overlay) --service NAME (--image IMAGE | --build-info FILE)",
		Short: "Give a service of a compose file the digest of a new image",
		Long: `Set-image replaces services.<name>.image in a compose file in place. Every other
byte stays: comments, order, quotes. A service without an image gets the key. If
the edit would change anything else, as with an image that an alias repeats, set-image
changes nothing and tells the reason.

With --overlay it writes the image to a separate file instead, images/<name>.yaml, to be
loaded after the others: many services can change without a conflict, and --file stays as
it is.

An image needs a digest, since a tag can be moved. --build-info reads it from the
build_info.yml of a build, which is trusted for the digest only: the service comes from
--service, and a file for another service, or for another repository than --repository, is
refused.

With --push it makes the change on top of the remote branch and pushes it as one commit of
this one file. If somebody else pushes meanwhile, it starts again from the new state. The
working tree stays as it is. Credentials come from git's global configuration.

With --zip it makes the change in a zip file in S3, with the AWS CLI. If somebody else
replaces the file meanwhile, it starts again from the new file.

If the service has the image already, nothing is written or pushed.

The exit status is 0 if the image is in place, 1 if the file does not allow it, and 2 for
wrong usage, unreadable input, or a remote that refuses.`,
		Example: `  composer set-image --file compose.yml --service app01 \
    --image 111111111111.dkr.ecr.eu-west-1.amazonaws.com/myapps/app01@sha256:0123…
  composer set-image --overlay --service app01 --build-info build_info.yml \
    --repository 111111111111.dkr.ecr.eu-west-1.amazonaws.com/myapps/app01 --push`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return s.run(command.Context(), command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&s.file, "file", "", "the compose file, as seen from --checkout")
	flags.BoolVar(&s.overlay, "overlay", false, "write a file of its own per service")
	flags.StringVar(&s.images, "images", "images", "the folder of those files, as seen from --checkout")
	flags.StringVar(&s.checkout, "checkout", ".", "the folder of the compose repository")
	flags.StringVar(&s.service, "service", "", "the service")
	flags.StringVar(&s.image, "image", "", "the image: REPOSITORY@sha256:…")
	flags.StringVar(&s.buildInfo, "build-info", "", "a build_info.yml with the digest")
	flags.StringVar(&s.repository, "repository", "", "the URI of the repository of the image")
	flags.BoolVar(&s.push, "push", false, "commit and push the change, instead of writing it to --checkout")
	flags.StringVar(&s.zip, "zip", "", "make the change in a zip file in S3: s3://BUCKET/KEY")
	flags.StringVar(&s.remote, "remote", "origin", "a remote of --checkout, or a URL")
	flags.StringVar(&s.branch, "branch", "main", "the branch at the remote")
	flags.StringVar(&s.message, "message", "", "the message of the commit (default the service and the image)")
	flags.StringVar(&s.who, "author", "composer <composer@localhost>", "the author of the commit")
	flags.IntVar(&s.attempts, "attempts", 10, "how often to try while others push")
	command.MarkFlagsOneRequired("file", "overlay")
	command.MarkFlagsMutuallyExclusive("push", "zip")
	command.MarkFlagsOneRequired("image", "build-info")
	command.MarkFlagsMutuallyExclusive("image", "build-info")
	if err := command.MarkFlagRequired("service"); err != nil {
		panic(err) // the flag is not there: a mistake of this function
	}
	return command
}

func (s *setImage) run(ctx context.Context, stdout, stderr io.Writer) error {
	image, err := s.newImage()
	if err != nil {
		return err
	}
	change, err := s.change(image)
	if err != nil {
		return err
	}
	outcome, err := s.apply(ctx, change)
	if refusal := (*imageupdate.Refusal)(nil); errors.As(err, &refusal) {
		return errors.Join(compose.Diagnostics{compose.Diagnostic(*refusal)}.Print(stderr), errFound)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: the image of %s is %s %s\n", change.File, s.service, outcome, image)
	return err
}

// newImage returns the new image of the service.
func (s *setImage) newImage() (imageupdate.Image, error) {
	if s.buildInfo == "" {
		image, err := imageupdate.ParseImage(s.image)
		if err == nil && s.repository != "" && image.Repository != s.repository {
			err = fmt.Errorf("it is not of the repository %s", s.repository)
		}
		if err != nil {
			return image, fmt.Errorf("--image: %w", err)
		}
		return image, nil
	}
	text, err := readSmall(s.buildInfo)
	if err != nil {
		return imageupdate.Image{}, err
	}
	info, err := imageupdate.ParseBuildInfo(text)
	if err != nil {
		return imageupdate.Image{}, fmt.Errorf("%s: %w", s.buildInfo, err)
	}
	image, err := info.Image(s.service, s.repository)
	if err != nil {
		return image, fmt.Errorf("%s: %w", s.buildInfo, err)
	}
	return image, nil
}

func (s *setImage) change(image imageupdate.Image) (imageupdate.Change, error) {
	if s.overlay {
		return imageupdate.InFolder(s.images, s.service, image)
	}
	return imageupdate.InFile(s.file, s.service, image)
}

// apply makes the change and returns a description of the result.
func (s *setImage) apply(ctx context.Context, change imageupdate.Change) (outcome string, err error) {
	const already, now = "already", "now"
	switch {
	case s.zip != "":
		store, err := newObject(s.zip)
		if err != nil {
			return "", err
		}
		if changed, err := change.Replace(ctx, store, s.attempts); err != nil || !changed {
			return already, err
		}
		return fmt.Sprintf("%s (in %s)", now, s.zip), nil
	case !s.push:
		if changed, err := change.Write(s.checkout); err != nil || !changed {
			return already, err
		}
		return now, nil
	}
	author, err := mail.ParseAddress(s.who)
	if err != nil || author.Name == "" {
		return "", fmt.Errorf("--author is %q: give a name and an address, as in composer <composer@localhost>", s.who)
	}
	commit, err := change.Push(ctx, imageupdate.Push{
		Checkout: s.checkout, Remote: s.remote, Branch: s.branch, Message: s.message,
		Author: author.Name, Email: author.Address, Attempts: s.attempts,
	})
	if err != nil || commit == "" {
		return already, err
	}
	return fmt.Sprintf("%s (commit %s on %s)", now, commit, s.branch), nil
}

// maxSmallFile limits files of a few lines, in bytes.
const maxSmallFile = 64 << 10

func readSmall(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: no such file, or it cannot be read", file)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSmallFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: it cannot be read", file)
	}
	if len(text) > maxSmallFile {
		return nil, fmt.Errorf("%s: it is larger than %d KiB", file, maxSmallFile>>10)
	}
	return text, nil
}
