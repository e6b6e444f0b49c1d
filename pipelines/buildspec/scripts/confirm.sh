digest=$(sed -nE "s/^[\"']?image_tag[\"']?: *[\"']?([^\"' ]*)[\"']? *\r?$/\1/p" build_info.yml)
if ! [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
  echo "build_info.yml: image_tag is not sha256: and 64 hexadecimal digits: $digest" >&2
  exit 1
fi
if ! aws ecr describe-images --repository-name="$REPOSITORY" --image-ids="imageDigest=$digest" >/dev/null; then
  echo "$REPOSITORY has no image $digest" >&2
  exit 1
fi
aws s3 cp --only-show-errors "$COMPOSER" composer
chmod +x composer
set_image=("$PWD/composer" set-image --overlay --images="$IMAGES" --service="$SERVICE_NAME" --image="$REPOSITORY_URI@$digest")
