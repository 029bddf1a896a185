# The service does not start: after a takeover, in a switchover, and nowhere. It is never started twice, nobody is cut for
# it, the other node takes it where there is one, and both say what is wrong.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the owner dies, and the service does not start on the other node
service bravo start-fails
power-off alpha
expect told bravo start-failed within 5s
expect no-owner for 1s
expect alarm bravo failed within 5s
expect fences 1 for 10ms
power-on alpha
expect owner alpha within 10s
expect linked within 10s
expect alarm bravo failed within 1s
say mended and cleared
service bravo ok
run bravo clear
expect standby bravo within 5s
expect no-alarm bravo failed within 5s
say a switchover to a node on which it does not start: it comes back
service bravo start-fails
try alpha switchover web
expect told bravo start-failed within 5s
expect owner alpha within 10s
expect alarm bravo failed within 5s
expect fences 0 for 10ms
say it starts nowhere
service alpha start-fails
restart-daemon alpha
expect owner alpha for 1s
power-off alpha
expect no-owner within 5s
power-on alpha
expect told alpha start-failed within 10s
expect no-owner for 1s
expect alarm alpha failed within 5s
say both mended
service alpha ok
service bravo ok
run alpha clear
run bravo clear
expect owned within 10s
expect no-alarm alpha failed within 40s
expect no-alarm bravo failed within 5s
