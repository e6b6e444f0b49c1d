if [ -n "${BUILD_TARGET:-}" ]; then
  arguments+=(--target "$BUILD_TARGET")
fi
docker build --tag "$image" --file "$DOCKERFILE" "${arguments[@]}" -- "$BUILD_CONTEXT"
