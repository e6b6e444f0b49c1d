docker push "$image"
IMAGE_DIGEST=$(aws ecr describe-images --repository-name="$REPOSITORY" --image-ids="imageTag=$IMAGE_TAG" \
  --query='imageDetails[0].imageDigest' --output=text)
export IMAGE_DIGEST
if ! [[ $IMAGE_DIGEST =~ ^sha256:[0-9a-f]{64}$ ]]; then
  echo "ECR has no digest for $image: $IMAGE_DIGEST" >&2
  exit 1
fi
