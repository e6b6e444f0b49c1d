version=${CODEBUILD_RESOLVED_SOURCE_VERSION:-source}
version=${version//[^A-Za-z0-9]/}
export IMAGE_TAG=${version:0:12}-$CODEBUILD_BUILD_NUMBER
image=$REPOSITORY_URI:$IMAGE_TAG
password=$(aws ecr get-login-password)
printf %s "$password" | docker login --username=AWS --password-stdin "${REPOSITORY_URI%%/*}"
