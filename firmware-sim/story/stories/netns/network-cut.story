# Cable and network both break with both nodes alive: bravo cuts alpha, whose kernel answered for the address until then.
start
expect reachable alpha within 20s
expect reachable bravo within 20s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect standby bravo within 20s
expect linked within 20s
say Each direction of the network alone
cut-net alpha->bravo
expect link-down bravo lan within 10s
expect owner alpha for 500ms
mend-net
expect linked within 20s
cut-net bravo->alpha
expect link-down alpha lan within 10s
expect owner alpha for 500ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
say Then all of it
cut-cable
cut-net
expect fenced alpha within 20s
expect owner bravo within 20s
expect address bravo within 1s
expect believed bravo for 300ms
mend-cable
mend-net
expect standby alpha within 20s
expect linked within 20s
expect owner bravo for 300ms
never two-owners
