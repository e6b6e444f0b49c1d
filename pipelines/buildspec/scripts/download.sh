case $BINARY_URI in
s3://*) aws s3 cp --only-show-errors "$BINARY_URI" program.tar.gz ;;
*) curl --fail --silent --show-error --location --proto =https --output program.tar.gz -- "$BINARY_URI" ;;
esac
echo "$BINARY_SHA256  program.tar.gz" | sha256sum --check -
mkdir tools
tar -xzf program.tar.gz composecdk
tar -xzf program.tar.gz -C tools composer
