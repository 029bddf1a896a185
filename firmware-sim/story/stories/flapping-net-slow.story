# The network is off and on for two seconds each, at the default timing: one alarm that stays, and no two lines of it with
# every turn.
config interval 100ms
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the network flaps
repeat 7
cut-net
sleep 2s
mend-net
sleep 2s
end
expect alarm alpha flapping bravo lan for 2s
expect alarm bravo flapping alpha lan for 10ms
expect alarms alpha 3 for 10ms
expect alarms bravo 3 for 10ms
expect owner alpha for 10ms
expect fences 0 for 10ms
