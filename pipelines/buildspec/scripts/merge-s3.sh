aws s3 cp --only-show-errors "$COMPOSE_OBJECT" before.zip
unzip -q before.zip -d before
cp -R before checkout
cd checkout
"${set_image[@]}"
if diff --recursive --brief ../before . >/dev/null; then
  echo "unchanged"
else
  zip --quiet --recurse-paths ../after.zip .
  aws s3 cp --only-show-errors ../after.zip "$COMPOSE_OBJECT"
fi
