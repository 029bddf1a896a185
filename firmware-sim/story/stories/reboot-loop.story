# The preferred node loses its power again and again. As long as it has not been well for a while, nothing moves back to it.
# Where that while is short, the service goes to and fro until the allowed moves are spent; then nothing moves by itself any
# more, both nodes say so, and the service stays down or where it is until a person looks.
config multiplier 15
config failback auto
config wait-to-restore 1s
config moves 3
config fences 10
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say faster than it is trusted again
power-off alpha
expect owner bravo within 10s
power-on alpha
expect standby alpha within 10s
repeat 3
power-off alpha
expect dark alpha within 5s
power-on alpha
expect standby alpha within 10s
expect owner bravo for 200ms
end
expect fences 0 for 10ms
say it is well for long enough: the service goes back, and to and fro
expect owner alpha within 10s
expect linked within 5s
power-off alpha
expect owner bravo within 10s
power-on alpha
expect owner alpha within 20s
expect linked within 5s
power-off alpha
expect owner bravo within 10s
power-on alpha
expect standby alpha within 10s
say the last move that is allowed
expect owner alpha within 20s
expect linked within 5s
say nothing moves by itself any more
power-off alpha
expect locked-out bravo within 10s
expect no-owner for 1s
expect fences 0 for 10ms
power-on alpha
expect owner alpha within 20s
sleep 3s
expect owner alpha for 1s
say a person looks
run alpha clear
run bravo clear
power-off alpha
expect owner bravo within 10s
