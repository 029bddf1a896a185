# The daemon is killed in the middle of the very first start of the service, and both daemons are killed in the middle of
# a takeover: the units restart them within the detection time, also on a busy machine; the service starts once, and nobody is cut.
config multiplier 60
config start-time 1s
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect told alpha owns-now within 10s
say killed in the first start
sleep 300ms
kill-daemon alpha
expect owner alpha within 10s
expect standby bravo within 5s
expect linked within 5s
expect owner alpha for 1s
expect not-fenced alpha for 10ms
say killed again and again while it runs
repeat 4
kill-daemon alpha
sleep 250ms
kill-daemon bravo
sleep 250ms
end
expect linked within 5s
expect owner alpha for 500ms
expect not-fenced alpha for 10ms
expect standby bravo within 5s
say both daemons killed at once
kill-daemon alpha
kill-daemon bravo
expect linked within 5s
expect owner alpha for 1s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
expect standby bravo within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
