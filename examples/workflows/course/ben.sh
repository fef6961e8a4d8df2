# Forgets the last number.
sum=0
read -r last
while read -r n; do
	sum=$((sum + last)) last=$n
done
echo $sum
