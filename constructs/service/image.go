package service

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecrassets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// ecrImage is an image of a private ECR repository: account, region, suffix of
// China's regions, and repository.
var ecrImage = regexp.MustCompile(
	`^(\d{12}|\$\{AWS::AccountId\})\.dkr\.ecr\.([a-z0-9-]+|\$\{AWS::Region\})\.(?:amazonaws\.com(?:\.cn)?|\$\{AWS::URLSuffix\})/([^:@]+)`)

// image returns what the container runs, and lets the execution role pull it where
// that needs a permission.
func (f *Family) image(this constructs.Construct, m *compose.Container) (awsecs.ContainerImage, error) {
	if m.Image.Build != nil {
		return f.build(this, m)
	}
	reference, err := f.props.Resolve.Text(compose.ParseText(m.Image.Reference))
	if err != nil {
		return nil, err
	}
	if err := f.allowPullOf(this, m.Image.Reference); err != nil {
		return nil, err
	}
	props := &awsecs.RepositoryImageProps{}
	if m.PullCredentials != "" {
		secret, err := f.pullCredentials(this, m)
		if err != nil {
			return nil, err
		}
		f.execution.read(secret)
		props.Credentials = secret.secret
	}
	return awsecs.ContainerImage_FromRegistry(reference.Token(), props), nil
}

// allowPullOf lets the execution role pull an image of a private ECR repository;
// images from elsewhere need no permission.
func (f *Family) allowPullOf(this constructs.Construct, reference string) error {
	parts := ecrImage.FindStringSubmatch(reference)
	if parts == nil {
		return nil
	}
	arn := fmt.Sprintf("arn:${AWS::Partition}:ecr:%s:%s:repository/%s", parts[2], parts[1], parts[3])
	repository, err := f.props.Resolve.Text(compose.ParseText(arn))
	if err != nil {
		return err
	}
	f.allowPull(repository)
	awscdk.Annotations_Of(this).AcknowledgeWarning(jsii.String("@aws-cdk/aws-ecs:ecrImageRequiresPolicy"),
		jsii.String("the execution role may pull from exactly this repository"))
	return nil
}

func (f *Family) allowPull(repository cfn.Value) {
	f.execution.allow(Statement{
		Actions:   []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
		Resources: []cfn.Value{repository},
	})
	// A token is for all of the registry: IAM knows no narrower resource.
	f.execution.allow(Statement{Actions: []string{"ecr:GetAuthorizationToken"}, Resources: []cfn.Value{cfn.Literal("*")}})
}

func (f *Family) pullCredentials(this constructs.Construct, m *compose.Container) (Secret, error) {
	if name, ok := strings.CutPrefix(m.PullCredentials, "secrets::"); ok {
		secret, ok := f.props.Secrets[name]
		if !ok || secret.secret == nil {
			return Secret{}, fmt.Errorf("the pull credentials of %s: there is no secret %q in Secrets Manager", m.Name, name)
		}
		return secret, nil
	}
	return SecretByARN(this, "pull credentials "+m.Name, m.PullCredentials), nil
}

// build makes an image of the container's source, which the CDK CLI builds and
// pushes when it deploys.
func (f *Family) build(this constructs.Construct, m *compose.Container) (awsecs.ContainerImage, error) {
	b := m.Image.Build
	directory, dockerfile, err := buildContext(b)
	if err != nil {
		return nil, err
	}
	props := &awsecrassets.DockerImageAssetProps{
		AssetName:     jsii.String(m.Name),
		DisplayName:   jsii.String(m.Name),
		Directory:     jsii.String(directory),
		File:          cfn.Optional(dockerfile),
		Target:        cfn.Optional(b.Target),
		CacheFrom:     cacheFrom(b.CacheFrom),
		CacheDisabled: when(b.NoCache),
		// A link stays a link, as Docker takes it: its target may be none of the project's.
		FollowSymlinks: awscdk.SymlinkFollowMode_NEVER,
	}
	if len(b.Args) > 0 {
		props.BuildArgs = stringMap(b.Args)
	}
	if len(b.Contexts) > 0 {
		props.BuildContexts = stringMap(b.Contexts)
	}
	if b.Network != "" {
		props.NetworkMode = awsecrassets.NetworkMode_Custom(jsii.String(b.Network))
	}
	switch b.Platform {
	case "":
	case "linux/arm64":
		props.Platform = awsecrassets.Platform_LINUX_ARM64()
	case "linux/amd64":
		props.Platform = awsecrassets.Platform_LINUX_AMD64()
	default:
		props.Platform = awsecrassets.Platform_Custom(jsii.String(b.Platform))
	}
	asset := awsecrassets.NewDockerImageAsset(this, jsii.String("image "+m.Name), props)
	f.allowPull(cfn.FromToken(asset.Repository().RepositoryArn()))
	return awsecs.ContainerImage_FromDockerImageAsset(asset), nil
}

// buildContext returns the folder to build from and the Dockerfile in it. A
// Dockerfile from elsewhere, or one that is written in the compose file, needs a
// copy of the folder to stand in.
func buildContext(b *compose.Build) (directory, dockerfile string, err error) {
	text := []byte(b.Inline)
	if b.Inline == "" {
		path := b.Dockerfile
		if path == "" || !filepath.IsAbs(path) && filepath.IsLocal(path) {
			return b.Context, path, nil
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(b.Context, path)
		}
		if relative, err := filepath.Rel(b.Context, path); err == nil && filepath.IsLocal(relative) {
			return b.Context, relative, nil
		}
		if text, err = os.ReadFile(path); err != nil {
			return "", "", err
		}
	}
	directory, err = os.MkdirTemp("", "composecdk-build-")
	if err != nil {
		return "", "", err
	}
	if err = os.CopyFS(directory, os.DirFS(b.Context)); err != nil {
		return "", "", err
	}
	const name = "composecdk.Dockerfile"
	return directory, name, os.WriteFile(filepath.Join(directory, name), text, 0o600)
}

// cacheFrom reads Docker's own notation: an image, or type=…,key=value.
func cacheFrom(entries []string) *[]*awsecrassets.DockerCacheOption {
	if len(entries) == 0 {
		return nil
	}
	var options []*awsecrassets.DockerCacheOption
	for _, entry := range entries {
		if !strings.Contains(entry, "=") {
			entry = "type=registry,ref=" + entry
		}
		option := &awsecrassets.DockerCacheOption{Type: jsii.String("registry")}
		params := map[string]*string{}
		for _, pair := range strings.Split(entry, ",") {
			key, value, _ := strings.Cut(pair, "=")
			if key == "type" {
				option.Type = jsii.String(value)
			} else {
				params[key] = jsii.String(value)
			}
		}
		option.Params = &params
		options = append(options, option)
	}
	return &options
}
