docker pull "$SOURCE_IMAGE"
docker tag "$SOURCE_IMAGE" "$image"
