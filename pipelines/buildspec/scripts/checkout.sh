rm -rf checkout
mkdir checkout
cp -R .checkout/. checkout/
settings+=(--context checkout=checkout)
