# Two operators want opposite things at one moment, one on each node. Somebody is refused or undone; there is one owner
# afterwards, nobody is cut, and nothing hangs.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say one moves it there, the other forbids that node to have it
try alpha switchover web --no-wait
try bravo standby on
sleep 3s
expect owned within 10s
try bravo standby off
sleep 1s
say both move it, each to the other
try bravo switchover web --to bravo --no-wait
try alpha switchover web --to alpha --no-wait
sleep 3s
expect owned within 10s
say one moves it away, the other back, again and again
repeat 5
try alpha switchover web --no-wait
try bravo switchover web --no-wait
end
sleep 3s
expect owned within 10s
say each puts its own node into standby mode
try alpha standby on
try bravo standby on
sleep 2s
try alpha standby off
try bravo standby off
expect owned within 10s
say both leave
try alpha leave --no-wait
try bravo leave --no-wait
sleep 5s
start alpha bravo
expect owned within 20s
expect linked within 10s
say one disarms while the other is cut by hand
try bravo disarm
try alpha fence off bravo --yes --no-wait
try alpha disarm
try alpha arm
try bravo arm
sleep 3s
try alpha fence on bravo
expect reachable bravo within 20s
expect owned within 20s
say one is in maintenance while the other moves it
try alpha maintenance on
try bravo switchover web --to bravo --no-wait
try alpha switchover web --to bravo --no-wait
sleep 2s
try alpha maintenance off
expect owned within 20s
