# A daemon that can open nothing more can neither stop the service nor find out whether the addresses are gone: that is no
# stop, so the node asks to be cut off, and the other one takes nothing before it has done so.
config multiplier 15
start
expect reachable alpha within 20s
expect reachable bravo within 20s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect address alpha within 1s
expect standby bravo within 20s
expect linked within 20s
sleep 1s
descriptors alpha none
perhaps stop alpha
expect told alpha fence-me-now within 10s
expect told bravo cut within 10s
expect told bravo proven-off within 20s
expect owner bravo within 20s
expect fences 1 for 10ms
expect address bravo within 1s
expect believed bravo for 300ms
expect standby alpha within 20s
expect linked within 20s
expect owner bravo for 300ms
never two-owners
