# The standby's daemon is killed in the middle of a takeover: while the fence runs, and while the service starts. Its unit
# restarts it, and it ends as the owner: a proof in the making dies with its process, one that was complete does not.
config multiplier 15
config start-time 1s
config boot-delay 2s
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say killed while the fence runs
slow RELAY_ALPHA 800ms
sleep 200ms
freeze alpha
expect told bravo cut within 5s
sleep 100ms
kill-daemon bravo
expect owner bravo within 20s
expect not-fenced bravo for 10ms
slow RELAY_ALPHA 8ms
expect standby alpha within 10s
expect linked within 5s
expect owner bravo for 300ms
say killed while the service starts
sleep 200ms
power-off bravo
expect told alpha owns-now within 5s
sleep 300ms
kill-daemon alpha
expect owner alpha within 20s
power-on bravo
expect standby bravo within 10s
expect linked within 5s
expect owner alpha for 300ms
say killed as soon as the silence is noticed
sleep 200ms
power-off alpha
expect told bravo went-silent within 5s
kill-daemon bravo
expect owner bravo within 20s
expect not-fenced bravo for 10ms
power-on alpha
expect standby alpha within 10s
expect linked within 5s
expect owner bravo for 300ms
