# What people do to a pair that runs: a key is changed without a gap, the configuration is read again, the run directory
# vanishes. Nobody moves, nobody is cut, and nothing is wrong afterwards; a reload that would cut a node off is refused.
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say a new key that the other node does not know yet signs: refused
keys 2 1
reload alpha
expect told alpha reload-refused within 5s
expect linked within 1s
say the new key is accepted, then signs, then is the only one
keys 1 2
reload alpha bravo
expect told alpha reloaded within 5s
expect told bravo reloaded within 5s
sleep 6s
keys 2 1
reload alpha bravo
expect told alpha reloaded within 5s
expect told bravo reloaded within 5s
sleep 6s
keys 2
reload alpha bravo
expect told alpha reloaded within 5s
expect told bravo reloaded within 5s
expect owner alpha for 2s
expect linked within 1s
expect no-alarm alpha within 2s
say the run directory vanishes on both nodes
lose-run alpha bravo
expect owner alpha for 3s
expect reachable alpha within 10s
expect reachable bravo within 10s
expect linked within 5s
expect no-alarm alpha within 10s
expect no-alarm bravo within 10s
expect fences 0 for 10ms
say and then the owner dies
power-off alpha
expect owner bravo within 10s
