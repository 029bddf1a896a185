# A host panics and boots again by itself, faster than it is missed, or slower. Its services are gone with it. Faster: it
# is heard again, nobody is cut, and somebody owns. Slower: it is cut like any silent owner.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the owner, faster than the detection time
sleep 200ms
reset alpha
expect owner alpha within 5s
expect not-fenced alpha for 1s
expect not-fenced bravo for 10ms
expect standby bravo within 5s
expect linked within 5s
say the standby
sleep 200ms
reset bravo
expect owner alpha for 2s
expect not-fenced bravo for 10ms
expect standby bravo within 5s
expect linked within 5s
say both at once
sleep 200ms
reset alpha bravo
expect owner alpha within 10s
expect standby bravo within 5s
expect linked within 5s
expect not-fenced alpha for 200ms
expect not-fenced bravo for 10ms
stop
config boot-delay 2s
start
expect reachable alpha within 10s
expect reachable bravo within 10s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the owner, slower than the detection time
sleep 200ms
reset alpha
expect owner bravo within 5s
expect fences 1 for 300ms
expect standby alpha within 10s
expect linked within 5s
say the standby, slower than the detection time
sleep 200ms
reset alpha
expect owner bravo for 4s
expect standby alpha within 10s
expect linked within 5s
expect not-fenced alpha for 10ms
say both at once, slower than the detection time
sleep 200ms
reset alpha bravo
expect owner bravo within 10s
expect standby alpha within 10s
expect linked within 5s
expect not-fenced alpha for 200ms
expect not-fenced bravo for 10ms
